# Completes 'manage.py async_tasks' in zsh, after compinit; written by asyncsched @version@.
_async_tasks() {
    local -i at=${words[(i)async_tasks]}
    local takes=
    local -a options
    if ((at >= CURRENT)); then # another command
        case $words[CURRENT-1] in
        *manage.py|django-admin) compadd -- async_tasks ;;
        esac
        _default
        return
    fi
    if ((at + 1 == CURRENT)); then
        compadd -- @subcommands@
        return
    fi
    case $words[at+1] in
@cases@
    esac
    case $words[CURRENT-1] in
@choices@
    @valued@) return ;;
    esac
    if [[ $PREFIX == -* ]]; then
        compadd -- ${=options}
    elif [[ $takes == names ]]; then # asks the project on the command line, which takes about a second
        compadd -- ${(f)"$($words[1,at] names 2>/dev/null </dev/null)"}
    else
        compadd -- ${=takes}
    fi
}
compdef _async_tasks manage.py django-admin python python3
