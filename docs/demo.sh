#!/bin/sh
# The demo: a copy of the example against a mock org of its own, in a temporary folder, so that it runs as often as you like.
# usage: demo.sh PATH-TO-RECONCILER
set -eu

reconciler=$1
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cp -R "$root/desired" "$root/reconciler.yaml" "$work/"
cd "$work"

# Runs a command as a person would type it, and stops the demo unless it ends with the exit code that is expected.
expect() {
  want=$1
  shift
  printf '\n$ reconciler %s\n' "$*"
  code=0
  "$reconciler" "$@" || code=$?
  if [ "$code" -ne "$want" ]; then
    printf 'demo: exit code %s, expected %s\n' "$code" "$want" >&2
    exit 1
  fi
}

expect 0 check
expect 2 plan --detailed-exitcode
expect 0 apply --auto-approve
expect 0 plan --detailed-exitcode
expect 0 mock set ExtlClntAppGlobalOauthSettings/order_portal isSecretRequiredForTokenExchange=false --as dana@acme.example
expect 2 drift
expect 0 apply --auto-approve
expect 0 drift
printf '\nThe org is as the files say, and nothing is left behind: %s is removed.\n' "$work"
