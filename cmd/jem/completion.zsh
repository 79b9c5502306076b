#compdef jem
# zsh completion for jem: source <(jem completion zsh)
_jem() {
    local -a line options
    line=("${(@)words[1,CURRENT-1]}")
    [[ ${words[CURRENT]} == -* ]] && line+=("${words[CURRENT]}")
    options=("${(@f)$("${line[@]}" --generate-bash-completion 2>/dev/null)}")
    if [[ -n ${options[1]} ]]; then _describe jem options; else _files; fi
}
compdef _jem jem
