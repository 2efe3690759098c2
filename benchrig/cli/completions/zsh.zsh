# Completes benchrig's ./inv in zsh: source <(./inv completion zsh)
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
_benchrig_inv() {
    local -a candidates
    candidates=(${(f)"$(${~words[1]} --complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)"})
    if (( $#candidates )); then compadd -- $candidates; else _files; fi
}
compdef _benchrig_inv inv
