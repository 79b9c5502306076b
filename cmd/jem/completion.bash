# bash completion for jem: source <(jem completion bash)
_jem() {
    local current=${COMP_WORDS[COMP_CWORD]}
    mapfile -t COMPREPLY < <("${COMP_WORDS[@]:0:COMP_CWORD}" "$current" --generate-bash-completion 2>/dev/null)
}
complete -o bashdefault -o default -F _jem jem
