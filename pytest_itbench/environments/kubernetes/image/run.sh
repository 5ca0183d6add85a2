#!/bin/bash
# Run the candidate, then print the file that it was to leave behind, if there is one: RESULT names it, MARK begins it.
cp /candidate/kubeconfig /home/ops/.kubeconfig && chmod 600 /home/ops/.kubeconfig
export KUBECONFIG=/home/ops/.kubeconfig HOME=/home/ops
cd /home/ops/work || exit 1
result=${RESULT:-} mark=${MARK:-}
unset RESULT MARK
"$@" </dev/null
status=$?
if [ -n "$result" ] && [ -f "$result" ]; then
  printf '\n%s\n' "$mark"
  head -c 1000000 "$result" | base64 -w0
  printf '\n'
fi
exit "$status"
