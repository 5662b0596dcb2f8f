# Completes 'manage.py async_tasks' in bash; written by asyncsched @version@.
_async_tasks() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} at=0 i name options= takes=
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} == async_tasks ]]; then
            at=$i
            break
        fi
    done
    if ((at == 0)); then # another command: Django's own completion may know it
        if declare -F _django_completion >/dev/null; then
            _django_completion
        elif [[ $previous == *manage.py && -n $current && async_tasks == "$current"* ]]; then
            COMPREPLY=(async_tasks)
        fi
        return
    fi
    if ((at + 1 == COMP_CWORD)); then
        COMPREPLY=($(compgen -W "@subcommands@" -- "$current"))
        return
    fi
    case ${COMP_WORDS[at + 1]} in
@cases@
    esac
    case $previous in
@choices@
    @valued@) return ;;
    esac
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$current"))
    elif [[ $takes == names ]]; then # asks the project on the command line, which takes about a second
        while IFS= read -r name; do
            if [[ $name == "$current"* ]]; then COMPREPLY+=("$(printf %q "$name")"); fi
        done < <("${COMP_WORDS[@]:0:at+1}" names 2>/dev/null </dev/null)
    else
        COMPREPLY=($(compgen -W "$takes" -- "$current"))
    fi
}
complete -o default -F _async_tasks manage.py django-admin
for _async_tasks_of in python python3; do # what completes those already stays
    complete -p "$_async_tasks_of" >/dev/null 2>&1 || complete -o default -F _async_tasks "$_async_tasks_of"
done
unset _async_tasks_of
