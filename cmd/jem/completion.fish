# fish completion for jem: jem completion fish | source
function __jem_complete
    set -l line (commandline -opc)
    $line (commandline -ct | string collect -a) --generate-bash-completion 2>/dev/null
end
complete -c jem -a '(__jem_complete)'
