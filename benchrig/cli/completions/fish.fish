# Completes benchrig's ./inv in fish: ./inv completion fish | source
function __benchrig_inv
    set -l words (commandline -opc) (commandline -ct)
    set -l candidates ($words[1] --complete -- $words[2..] 2>/dev/null)
    set -q candidates[1]; and printf '%s\n' $candidates; or __fish_complete_path (commandline -ct)
end
complete -c inv -f -a '(__benchrig_inv)'
