# bash completion for jem: source <(jem completion bash)
_jem() {
    local current=${COMP_WORDS[COMP_CWORD]}
    local -a line=("${COMP_WORDS[@]:0:COMP_CWORD}")
    [[ $current == -* ]] && line+=("$current")
    mapfile -t COMPREPLY < <(compgen -W "$("${line[@]}" --generate-bash-completion 2>/dev/null)" -- "$current")
}
complete -o bashdefault -o default -F _jem jem
