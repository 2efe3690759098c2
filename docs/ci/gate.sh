#!/bin/sh
# Benches two commits on the same machine and judges the second against the first. It needs git and ./inv alone.
#
#   docs/ci/gate.sh BASE HEAD [LIMIT]
#
# BENCH has the flags of ./inv bench, and GATE more flags of ./inv gate. It writes gate.xml (JUnit) and gate.md (for a comment),
# and ends with the exit code of ./inv gate.
set -eu

measure() {
    before=$(readlink reports/latest || :)
    git checkout --quiet --detach "$1"
    # 1: a row failed. The others were measured, and the gate names the one that was not.
    # shellcheck disable=SC2086
    ./inv provision bench ${BENCH:---profile rigorous --until 2%} || { code=$?; [ $code -eq 1 ] || exit $code; }
    run=$(readlink reports/latest || :)
    if [ "$run" = "$before" ]; then
        echo "error: no complete run of $1 was made" >&2
        exit 1
    fi
}

# In a function, because git replaces this file while it runs.
main() {
    base=$(git rev-parse --verify "$1^{commit}")
    head=$(git rev-parse --verify "$2^{commit}")
    here=$(git symbolic-ref --quiet --short HEAD || git rev-parse HEAD)
    trap 'git checkout --quiet "$here"' EXIT
    measure "$base"
    reference=$run
    measure "$head"
    # shellcheck disable=SC2086
    ./inv gate "$run" --fail-over "${3:-5%}" --against "$reference" --junit gate.xml --summary gate.md ${GATE:-}
}

main "$@"
exit
