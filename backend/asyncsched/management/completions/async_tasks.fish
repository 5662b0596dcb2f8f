# Completes 'manage.py async_tasks' in fish; written by asyncsched @version@.
function __async_tasks_in --description 'True within async_tasks: before its subcommand, or in one of those named'
    set -l words (commandline -opc)
    set -l at (contains -i -- async_tasks $words); or return 1
    if not set -q argv[1]
        test (count $words) -eq $at
        return
    end
    test (count $words) -gt $at; and contains -- $words[(math $at + 1)] $argv
end
function __async_tasks_names --description 'Asks the project on the command line, which takes about a second'
    set -l words (commandline -opc)
    set -l at (contains -i -- async_tasks $words); or return 1
    command $words[1..$at] names 2>/dev/null </dev/null
end
for program in manage.py django-admin python python3
@cases@
end
