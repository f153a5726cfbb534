# usbx.bash - what bash offers after "usbx". The part about options is made by scripts/pages from runtime/options.def.

# BEGIN OPTIONS
_usbx_options='--rootfs --mount --rw --env --workdir --user --hostname --timeout --memory --cpus --cpu-time --pids --disk --max-output --ulimit --net --publish --dns --net-address --net-gateway --allow --allow-public --deny --listen --policy --name --audit --explain --tty --no-tty --strace= --trace --diff= --save --crash-report --stats= --debug= --platform --config --help= -p -t -T -h'
_usbx_topics='files process limits network policy terminal seeing config'
# What the value of an option may be; nothing: it has none in the next word.
_usbx_offers() {
	case "$1" in
	--rootfs) echo '@dir' ;;
	--mount) echo '@file' ;;
	--rw) echo '@file' ;;
	--env) echo '@variable' ;;
	--workdir) echo '@dir' ;;
	--user) echo '@user' ;;
	--hostname) echo '-' ;;
	--timeout) echo '-' ;;
	--memory) echo '-' ;;
	--cpus) echo '-' ;;
	--cpu-time) echo '-' ;;
	--pids) echo '-' ;;
	--disk) echo '-' ;;
	--max-output) echo '-' ;;
	--ulimit) echo 'as= core= cpu= data= fsize= memlock= nofile= nproc= rss= stack=' ;;
	--net) echo 'none user tap: netns:' ;;
	--publish) echo '-' ;;
	--dns) echo '-' ;;
	--net-address) echo 'auto' ;;
	--net-gateway) echo '-' ;;
	--allow) echo '-' ;;
	--deny) echo '-' ;;
	--listen) echo '-' ;;
	--policy) echo '@file' ;;
	--name) echo '-' ;;
	--audit) echo '@file' ;;
	--strace) echo '=@file' ;;
	--trace) echo '@file' ;;
	--diff) echo '=json' ;;
	--save) echo '@file' ;;
	--stats) echo '=json' ;;
	--debug) echo '=log stats no-patch no-spin epoll uring' ;;
	--platform) echo 'auto systrap ptrace' ;;
	--config) echo '@file' ;;
	--help) echo '=@topic' ;;
	esac
}
# END OPTIONS

# The values that $1 names, as far as they begin with $2.
_usbx_values() {
	local values=${1#=} cur=$2 chosen

	compopt +o nospace 2>/dev/null
	case "$values" in
	@file)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	@dir)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		;;
	@user) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
	@variable) mapfile -t COMPREPLY < <(compgen -e -- "$cur") ;;
	@topic) mapfile -t COMPREPLY < <(compgen -W "$_usbx_topics" -- "$cur") ;;
	-) ;;
	*)
		# A list with commas: what stands before the last one stays.
		[[ $cur == *,* ]] && chosen=${cur%,*},
		mapfile -t COMPREPLY < <(compgen -P "$chosen" -W "$values" -- "${cur##*,}")
		;;
	esac
}

# From the command of the sandbox on, it is as if that stood alone.
_usbx_command() {
	if declare -F _command_offset >/dev/null; then
		_command_offset "$1"
	elif ((COMP_CWORD == $1)); then
		mapfile -t COMPREPLY < <(compgen -c -- "$2")
	else
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
	fi
}

_usbx_run() {
	local cur=$1 at word offers

	# A word "=" of its own is how bash cuts --name=value. The last option whose value is still to come decides.
	for ((at = 2; at < COMP_CWORD; at++)); do
		word=${COMP_WORDS[at]}
		if [[ $word == -- ]]; then
			_usbx_command $((at + 1)) "$cur"
			return
		fi
		if [[ $word != -* ]]; then
			_usbx_command "$at" "$cur"
			return
		fi
		offers=$(_usbx_offers "$word")
		if [[ ${COMP_WORDS[at + 1]} == = ]]; then
			((at + 1 == COMP_CWORD)) && cur=
			if ((at + 2 >= COMP_CWORD)); then
				_usbx_values "${offers:--}" "$cur"
				return
			fi
			((at += 2))
		elif [[ -n $offers && $offers != =* ]]; then
			if ((at + 1 == COMP_CWORD)); then
				_usbx_values "$offers" "$cur"
				return
			fi
			((at += 1))
		fi
		# A colon cuts as well: SRC:DST:MODE.
		while ((at + 1 < COMP_CWORD)) && [[ ${COMP_WORDS[at + 1]} == :* || ${COMP_WORDS[at]} == *: ]]; do
			((at += 1))
		done
	done
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$_usbx_options" -- "$cur")
		[[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
	else
		_usbx_command "$COMP_CWORD" "$cur"
	fi
}

_usbx() {
	local cur=${COMP_WORDS[COMP_CWORD]}

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "run policy doctor help syscalls --host-calls --version --help" -- "$cur")
	elif [[ ${COMP_WORDS[1]} == run ]]; then
		_usbx_run "$cur"
	elif [[ ${COMP_WORDS[1]} == policy ]] && ((COMP_CWORD == 2)); then
		mapfile -t COMPREPLY < <(compgen -W "list check $(usbx policy list 2>/dev/null)" -- "$cur")
	elif [[ ${COMP_WORDS[1]} == policy ]]; then
		mapfile -t COMPREPLY < <(compgen -f -W "show set" -- "$cur")
	elif [[ ${COMP_WORDS[1]} == doctor ]]; then
		mapfile -t COMPREPLY < <(compgen -W "--json" -- "$cur")
	elif [[ ${COMP_WORDS[1]} == help ]] && ((COMP_CWORD == 2)); then
		mapfile -t COMPREPLY < <(compgen -W "run $_usbx_topics" -- "$cur")
	fi
}

complete -F _usbx usbx
