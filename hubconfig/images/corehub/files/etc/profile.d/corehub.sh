# shellcheck shell=bash
# Terminals of JupyterLab are login shells, whose /etc/profile forgets the image's PATH.
export PATH="$HOME/.local/bin:/opt/jupyter/bin:/usr/local/bin:/usr/bin:/bin:/usr/games"
export EDITOR="${EDITOR:-nano}"

if [ -n "${PS1:-}" ] && [ -n "${BASH_VERSION:-}" ]; then
  PS1='\[\e[1;32m\]${JUPYTERHUB_USER:-user}\[\e[0m\]:\[\e[1;34m\]\w\[\e[0m\]\$ '
  HISTCONTROL=ignoreboth
  HISTSIZE=10000
  HISTFILESIZE=20000
  shopt -s checkwinsize histappend
  alias ls='ls --color=auto' ll='ls -l' grep='grep --color=auto'
  # shellcheck source=/dev/null
  [ ! -r /usr/share/bash-completion/bash_completion ] || . /usr/share/bash-completion/bash_completion
fi
