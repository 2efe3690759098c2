# Completes benchrig's ./inv in bash: source <(./inv completion bash)
_benchrig_inv() {
    local candidate
    COMPREPLY=()
    while IFS= read -r candidate; do
        [ -n "$candidate" ] && COMPREPLY+=("$candidate")
    done < <("${COMP_WORDS[0]/#\~/$HOME}" --complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _benchrig_inv inv
