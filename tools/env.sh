# shellcheck shell=bash
# Prepares a shell (bash or zsh) for plain `pulumi up --stack local`, `pulumi preview`, `pulumi destroy`:
#
#     source tools/env.sh
#
# `make toolchain` comes first; it writes down what it found and made in .pulumi/toolchain.env.

if [ -n "${BASH_VERSION:-}" ]; then
  _cyberhubs=${BASH_SOURCE[0]}
else
  eval '_cyberhubs=${(%):-%x}' # zsh's words, which bash cannot read
fi
_cyberhubs=$(cd "$(dirname "$_cyberhubs")/.." && pwd)

if ! [ -f "$_cyberhubs/.pulumi/toolchain.env" ] || ! [ -x "$_cyberhubs/.venv/bin/python" ]; then
  echo "cyberhubs: this checkout is not set up yet; run 'make toolchain' in $_cyberhubs first" >&2
  unset _cyberhubs
  return 1
fi

unset CYBERHUBS_PULUMI_BIN CYBERHUBS_BASE_IMAGE CYBERHUBS_CADDY PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION
# shellcheck source=/dev/null
. "$_cyberhubs/.pulumi/toolchain.env"

for _cyberhubs_folder in "${CYBERHUBS_PULUMI_BIN:-}" "$_cyberhubs/.venv/bin"; do
  case ":$PATH:" in
    *":$_cyberhubs_folder:"*) ;;
    *) [ -z "$_cyberhubs_folder" ] || PATH="$_cyberhubs_folder:$PATH" ;;
  esac
done
export PATH
export VIRTUAL_ENV="$_cyberhubs/.venv" # the Python host that is built from Go modules goes by it
unset PYTHONHOME
unset PYTHONDONTWRITEBYTECODE # compiled anew at each run, the SDKs cost seconds

export PULUMI_HOME="$_cyberhubs/.pulumi"
export PULUMI_BACKEND_URL="${PULUMI_BACKEND_URL:-file://$HOME}"
if [ -z "${PULUMI_CONFIG_PASSPHRASE+set}${PULUMI_CONFIG_PASSPHRASE_FILE+set}" ]; then
  export PULUMI_CONFIG_PASSPHRASE_FILE="${XDG_CONFIG_HOME:-$HOME/.config}/cyberhubs/passphrase"
fi
export PULUMI_RUN_PROGRAM=true # destroy runs the program too: the network's hook removes users' containers
# A stack file that lost its encryptionsalt (a fresh clone, git restore) gets it back from the state.
export PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER=true
export PULUMI_SKIP_UPDATE_CHECK=true
export PULUMI_ERROR_OUTPUT_STRING=1 # an error of the program ends in its message, not in a JSON object

unset _cyberhubs _cyberhubs_folder
