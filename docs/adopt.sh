#!/bin/sh
# Takes an org that is already there into files. Here it is the mock org of the folder: instead of --mock, --org ALIAS or
# --instance-url URL names a real one.
# usage: adopt.sh PATH-TO-RECONCILER, in a new folder
set -eu

"$1" init --mock
"$1" pull
"$1" plan --detailed-exitcode
