# Completion of holdfast in bash: source it, or install it as bash-completion/completions/holdfast.
# Nothing is stated twice: commands are read from `holdfast --help`, and what a command takes from the synopses in its own --help:
#
#     Usage: holdfast pools [list] [--json]
#            holdfast pools create POOL --cidr CIDR… [--strategy sequential|hashed] [--json]
#
# A small word in front is a subcommand. ZONE, POOL and SERVICE are asked from the server, quietly and for two seconds at most; FILE, PATH and
# DIR are paths, KIND a kind of service, a|b one of these words. With OPTION in it, the options that the help lists belong to it too.
# shellcheck shell=bash

# _holdfast_offer : those lines of standard input that begin as the current word does, and are plain words.
_holdfast_offer() {
	local line
	while IFS= read -r line; do
		case $line in
		'' | *[!A-Za-z0-9._-]*) ;;
		"$cur"*) COMPREPLY+=("$line") ;;
		esac
	done
}

# _holdfast_ask MEMBER COMMAND… : the values of this member in what the server answers, which is JSON; those that are plain words.
_holdfast_ask() {
	local member=$1
	shift
	timeout 2 "$program" "$@" --json 2>/dev/null </dev/null | sed -n 's/^.*"'"$member"'": \{0,1\}"\([A-Za-z0-9._-]*\)".*$/\1/p' | sort -u
}

# _holdfast_value SPEC : offers what an argument may be.
_holdfast_value() {
	local spec=$1 word path
	local -a words
	IFS='|' read -ra words <<<"$spec"
	for word in "${words[@]}"; do
		case $word in
		ZONE | TO-ZONE) _holdfast_offer < <(_holdfast_ask zone zones) ;;
		POOL | TO-POOL) _holdfast_offer < <(_holdfast_ask pool pools) ;;
		SERVICE | TO-SERVICE) _holdfast_offer < <(_holdfast_ask service leases find "$cur*" ${zone:+--zone "$zone"} --limit 200) ;;
		KIND) _holdfast_offer < <(printf '%s\n' MeshService MeshExternalService MeshMultiZoneService) ;;
		FILE | PATH | DIR)
			compopt -o filenames 2>/dev/null
			while IFS= read -r path; do COMPREPLY+=("$path"); done < <(
				if [ "$word" = DIR ]; then compgen -d -- "$cur"; else compgen -f -- "$cur"; fi
			)
			;;
		*[!a-z-]* | '') ;;
		*) _holdfast_offer <<<"$word" ;;
		esac
	done
}

# _holdfast_synopses : from a command's help, one line each, less the name; "options:" and the listed options are the last line.
_holdfast_synopses() {
	"$program" "$1" --help 2>/dev/null </dev/null | awk -v command="$1" '
		function put() { if (synopsis != "") print synopsis; synopsis = "" }
		/^Usage: / { usage = 1; sub(/^Usage: /, "       ") }
		usage && !/^ / { usage = 0; put() }
		usage {
			if ($1 == "holdfast" && $2 == command) { put(); sub("^ *holdfast +" command, ""); synopsis = "synopsis:" }
			synopsis = synopsis " " $0
		}
		!usage && /^ +-/ { sub(/^ +/, ""); sub(/   .*/, ""); gsub(/,/, ""); listed = listed " " $0 }
		END { put(); print "options:" listed }'
}

_holdfast() {
	local cur program command sub='' zone='' wanted='' given=' ' synopsis token value i at first=2 seen=0 many=' ' behind=false prefix=''
	local -a line=()
	# --option=value is two words, whether bash took it for three or for one.
	for ((i = 0; i <= COMP_CWORD; i++)); do
		token=${COMP_WORDS[i]}
		behind=false
		case $token in
		=*)
			if [ "$i" -gt 0 ] && [[ ${COMP_WORDS[i - 1]} == --* ]]; then
				if [ "$token" != = ] || [ "$i" -eq "$COMP_CWORD" ]; then line+=("${token#=}"); fi
				behind=true
			else
				line+=("$token")
			fi
			;;
		--?*=*)
			line+=("${token%%=*}" "${token#*=}")
			behind=true
			prefix=${token%%=*}=
			;;
		*)
			line+=("$token")
			if [ "$i" -gt 1 ] && [ "${COMP_WORDS[i - 1]}" = = ] && [[ ${COMP_WORDS[i - 2]} == --* ]]; then behind=true; fi
			;;
		esac
	done
	case ${COMP_WORDS[COMP_CWORD]} in --?*=*) ;; *) prefix='' ;; esac
	at=$((${#line[@]} - 1))
	cur=${line[at]} program=${line[0]/#\~\//$HOME/} command=${line[1]:-}
	local -a tokens synopses=() fitting=()
	local -A values=()
	COMPREPLY=()
	if [ "$at" -eq 1 ] || { [ "$at" -eq 2 ] && [ "$command" = help ]; }; then
		_holdfast_offer < <("$program" --help 2>/dev/null </dev/null | sed -n 's/^  \([a-z-]*\)  .*/\1/p')
		if [ "$at" -eq 1 ]; then _holdfast_offer < <(printf '%s\n' help --help --version); fi
		return
	fi
	case $command in '' | -* | *[!a-z-]*) return ;; esac

	# The synopses that fit the subcommand, which may be left out if it stands in brackets.
	while IFS= read -r synopsis; do synopses+=("$synopsis"); done < <(_holdfast_synopses "$command")
	for synopsis in "${synopses[@]}"; do
		read -r _ token _ <<<"$synopsis"
		token=${token//[\[\]]/}
		case $token in '' | *[!a-z]*) continue ;; esac
		if [ "$at" -gt 2 ] && [ "$token" = "${line[2]}" ]; then sub=$token first=3; fi
		if [ "$at" -eq 2 ] && [[ $synopsis == synopsis:* && " ${COMPREPLY[*]} " != *" $token "* ]]; then _holdfast_offer <<<"$token"; fi
	done
	for synopsis in "${synopses[@]}"; do
		read -r _ token _ <<<"$synopsis"
		case $synopsis in
		options:*) if [[ " ${fitting[*]} " == *OPTION* || ${#fitting[@]} -eq 0 ]]; then fitting+=("$synopsis"); fi ;;
		*) case $token in
			"$sub" | "[$sub]") fitting+=("${synopsis/"$token"/}") ;;
			\[[a-z]*\]) if [ -z "$sub" ]; then fitting+=("${synopsis/"$token"/}"); fi ;;
			[a-z]*) ;;
			*) if [ -z "$sub" ]; then fitting+=("$synopsis"); fi ;;
			esac ;;
		esac
	done

	# What their options take, and what stands free.
	local -a free=()
	for synopsis in "${fitting[@]}"; do
		read -ra tokens <<<"$synopsis"
		for ((i = 1; i < ${#tokens[@]}; i++)); do
			token=${tokens[i]//[\[\]…]/}
			value=${tokens[i + 1]:-}
			case $token in
			-*)
				values[$token]=${values[$token]:-}
				case ${tokens[i]} in *]) continue ;; esac
				case $value in
				[\[-]* | '') ;;
				*)
					values[$token]=${value//[\[\]…]/}
					if [[ $value == *…* ]]; then many+="$token "; fi
					i=$((i + 1))
					;;
				esac
				;;
			OPTION) ;;
			*) if [[ $synopsis == synopsis:* ]]; then free+=("${tokens[i]//[\[\]]/}"); fi ;;
			esac
		done
	done

	# Where the cursor is.
	for ((i = first; i < at; i++)); do
		token=${line[i]}
		case $token in
		-*)
			if [[ $many != *" $token "* ]]; then given+="$token "; fi
			wanted=${values[$token]:-}
			if [ -n "$wanted" ] && [ $((i + 1)) -lt "$at" ]; then
				i=$((i + 1))
				if [ "$wanted" = ZONE ]; then zone=${line[i]}; fi
				wanted=
			fi
			;;
		*)
			if [ "${free[seen]:-}" = ZONE ]; then zone=$token; fi
			seen=$((seen + 1))
			;;
		esac
	done
	if $behind && [ -z "$wanted" ]; then return; fi
	if [ -n "$wanted" ]; then
		_holdfast_value "$wanted"
		COMPREPLY=("${COMPREPLY[@]/#/$prefix}")
	elif [[ $cur == -* ]]; then
		for token in "${!values[@]}" --help; do
			case $given in *" $token "*) ;; *) _holdfast_offer <<<"$token" ;; esac
		done
	else
		if [ "$seen" -ge ${#free[@]} ] && [[ ${free[*]} == *… ]]; then seen=$((${#free[@]} - 1)); fi # the last may be repeated
		value=${free[seen]:-}
		_holdfast_value "${value%…}"
	fi
}
complete -F _holdfast holdfast
