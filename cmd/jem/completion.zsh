#compdef jem
# zsh completion for jem: source <(jem completion zsh)
_jem() {
    local -a options
    options=("${(@f)$("${(@)words[1,CURRENT-1]}" "${words[CURRENT]}" --generate-bash-completion 2>/dev/null)}")
    if [[ -n ${options[1]} ]]; then compadd -a options; else _files; fi
}
compdef _jem jem
