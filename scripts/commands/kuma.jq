# What kuma-import and kuma-drift make of Kuma's documents, of the server's answers about them, and of both together.

def text: if type == "string" and . != "" then . else null end;

# ---- Reading: JSON from anywhere to items, one for each service.

# Without regular expressions, which are slow here.
def is_ipv4:
	split(".") | length == 4 and all(. as $part | (try tonumber catch -1) | . >= 0 and . <= 255 and tostring == $part);
def is_ipv6:
	split(":") as $groups | ($groups | length) as $n |
	$n >= 3 and $n <= 9 and
	all($groups[]; length <= 4 and (explode | all((. >= 48 and . <= 57) or (. >= 65 and . <= 70) or (. >= 97 and . <= 102)))) and
	([range(1; $n - 1) | select($groups[.] == "")] as $gaps |
		if ($gaps | length) == 0 then $n == 8 and $groups[0] != "" and $groups[-1] != ""
		else $gaps == [1] and $n == 3 and $groups == ["", "", ""] or
			$gaps == [1] and $groups[0] == "" and $groups[-1] != "" or
			$gaps == [$n - 2] and $groups[-1] == "" and $groups[0] != "" or
			($gaps | length) == 1 and $n <= 8 and $groups[0] != "" and $groups[-1] != ""
		end);
def is_ip: is_ipv4 or is_ipv6;

def labels: ((if .labels != null then .labels else (.metadata | objects | .labels) end) | objects) // {};
def kind_of: (.kind | text) // (.type | text);
def name_of: (labels["kuma.io/display-name"] | text) // (.name | text) // (.metadata | objects | .name | text) // null;

# An item of which all is known but whether there is anything against it.
def judged:
	[.vips[] | select(is_ip | not)] as $wrong |
	if .vips == [] then . + {verdict: "no-vip", detail: "Kuma shows no VIP"}
	elif $wrong != [] then . + {verdict: "rejected", detail: "its VIP \"\($wrong[0][:60])\" is no IP address"}
	else . end;

# The VIPs are in status.vips; a MeshExternalService has one in status.vip, which the server does not look at.
def service_item($zone):
	((.status | objects | .vip | objects | (.ip | text) // (.value | text)) // null) as $vip |
	if $vip and (.status.vips == null) then .status.vips = [{ip: $vip}] else . end |
	{kind: (kind_of // "MeshService"),
	 mesh: ((.mesh | text) // (labels["kuma.io/mesh"] | text) // "default"),
	 # What has its origin in global and lives in no zone has the zone "global".
	 zone: ((labels["kuma.io/zone"] | text) // (if labels["kuma.io/origin"] == "global" then "global" else null end) // $zone),
	 service: name_of,
	 vips: [.status | objects | .vips | arrays | .[] | objects | .ip | select(text)],
	 modified: (.modificationTime | text),
	 document: .} | judged;

# The VIPs of a kuma-<mesh>-dns-vips ConfigMap: "0:service" (a host is 1, a domain name of a VirtualOutbound 2; the oldest have no
# number) to an address, or to an object with the address.
def config_items($mesh; $zone):
	to_entries[] |
	((.key | capture("^(?<type>[0-9]+):(?<name>.*)$"; "m")) // {type: "0", name: .key}) as $entry |
	((.value | strings) // (.value | objects | .address | strings) // "") as $vip |
	{kind: "MeshService", mesh: $mesh, zone: $zone, service: $entry.name, vips: [$vip | select(. != "")], config: true} |
	if $entry.type == "1" then . + {verdict: "skipped", detail: "a host name, which is no service"}
	elif $entry.type == "2" then . + {verdict: "skipped", detail: "a domain name of a VirtualOutbound, which is no service"}
	elif $entry.type != "0" then . + {verdict: "skipped", detail: "of type \($entry.type), which is no service"}
	else judged | if .verdict then . else . + {document: {type: "MeshService", mesh: $mesh, name: $entry.name,
	                                                   status: {vips: [{ip: $vip}]}}} end end;

def is_config: type == "object" and . != {} and
	all(.[]; (strings | is_ip or . == "") // (objects | .address | strings | true) // false);

def config_map($name; $config; $mesh; $zone):
	(($name // "") | capture("^kuma-(?<mesh>.+)-dns-vips$") | .mesh) // (if $name == "kuma-dns-vips" then $mesh // false else null end) |
	if . == null then {kind: "ConfigMap", mesh: null, zone: null, service: $name, vips: [], verdict: "skipped",
	                   detail: "a ConfigMap that does not hold VIPs"}
	elif . == false then {bad: "kuma-dns-vips does not say its mesh: state --mesh"}
	else . as $mesh |
		if ($config // "") == "" then empty
		else ($config | try fromjson catch null) |
			if type == "object" then config_items($mesh; $zone) else {bad: "the config of \($name) is no JSON object"} end
		end
	end;

def is_leased: . == "MeshService" or . == "MeshExternalService" or . == "MeshMultiZoneService";

def items($mesh; $zone):
	if type == "object" and (kind_of | is_leased) then service_item($zone)
	elif is_config then
		if $mesh == null then {bad: "this looks like the config of a kuma-<mesh>-dns-vips ConfigMap, which does not say its mesh: state --mesh"}
		else config_items($mesh; $zone) end
	elif type == "array" then .[] | items($mesh; $zone)
	elif type != "object" then {bad: "this is \(type), and neither a resource nor a list of them"}
	elif (.items | type) == "array" then
		{list: (.items | length), total: ((.total | numbers) // 0),
		 more: (((.next | text) // (.metadata | objects | .continue | text) // null) != null)},
		(.items[] | items($mesh; $zone))
	elif .items == null and has("items") then empty
	else kind_of as $kind |
		if $kind == "ConfigMap" then config_map(.metadata | objects | .name; .data | objects | .config; $mesh; $zone)
		elif $kind == "Config" then config_map(.name; .config; $mesh; $zone)
		elif $kind == "Status" then {bad: "this is not a list but an error: \(.message)"}
		elif $kind == null and name_of != null then service_item($zone)
		elif ($kind // "") | test("^[A-Z][A-Za-z0-9]*$") then
			{kind: $kind, mesh: null, zone: null, service: name_of, vips: [], verdict: "skipped", detail: "no VIP is leased to a \($kind)"}
		else {bad: "this object is neither a resource nor a list of them"} end
	end;

# ---- What the server says of the items, and the items together.

def id: [.zone, .mesh, .kind, .service];
def words: "\(.kind) \(.service) of zone \(.zone), mesh \(.mesh)";
def ips: map(.ip) | join(", ");

# The identity as the server reads it.
def identified: .result as $r | if $r.service then . + {zone: ($r.zone // .zone), mesh: $r.mesh, kind: $r.kind, service: $r.service} else . end;

# A service that is listed more than once: each has the first one's result; `differs` if the VIPs are not the same each time.
def repeated:
	[.[] | select(.result.service | not)] +
	[[.[] | select(.result.service)] | group_by(id)[] |
		if length == 1 then .[0]
		else (map(.vips | sort) | unique) as $sets | .[0] as $first |
			.[] | . + {result: $first.result, differs: ($sets | length > 1), again: (.n != $first.n),
			           sets: ($sets | map(join(", ")) | join("; "))}
		end];

def has_lease: .result.outcome | . == "unchanged" or . == "updated" or . == "restored";

# Whether there is no lease, nor one to be had just so: then it has to be found out what the addresses are.
def is_unclear:
	.result as $r | (has_lease | not) and (.differs or .again | not) and
	($r.outcome == "created" or ($r.outcome == "adopted" and $r.claimRefused) or
	 ($r.outcome == "rejected" and ($r.problem.code == "no-pool" or $r.problem.code == "pool-exhausted")));

# What the server says of each address that is unclear.
def addresses($unclear; $found): reduce range($unclear | length) as $i ({}; .[$unclear[$i]] = $found[$i]);

# Who has these, in words, or none.
def holders:
	[.[] | if .lease then "\(.address) is \(if .state == "leased" then "held by" else "in quarantine for" end) \(.lease | words)"
		elif .state == "reserved" then "\(.address) is reserved in pool \(.pool)" else empty end];

# ---- kuma-import

def judge_addresses($addresses):
	[.vips[] as $ip | $addresses[$ip] // {code: "unknown", detail: "the server does not tell what \($ip) is"}] as $found |
	($found | map(select(.state == "unmanaged"))) as $outside |
	($found | map(select(.lease))) as $held |
	($found | map(select(.state == "reserved"))) as $reserved |
	($found | map(.pool) | unique) as $pools |
	if any($found[]; .code) then . + {verdict: "rejected", detail: ($found | map(.detail | values) | join("; "))}
	elif ($found | length) > 0 and ($outside | length) == ($found | length) then
		. + {verdict: "out-of-pool", detail: "\($outside | map(.address) | join(", ")) is in no pool"}
	elif $held != [] then
		. + {verdict: "conflict", detail: ($held | holders | join("; "))}
	elif $reserved != [] then . + {verdict: "conflict", detail: ($reserved | holders | join("; "))}
	elif $outside != [] then . + {verdict: "conflict", detail: "\($outside[0].address) is in no pool, another of its VIPs is"}
	elif ($found | length) > 2 or ($found | map(.address | test(":")) | unique | length) < ($found | length) then
		. + {verdict: "conflict", detail: "several VIPs of one address family, and a lease has one"}
	elif ($pools | length) > 1 then . + {verdict: "conflict", detail: "its VIPs lie in different pools: \($pools | join(", "))"}
	else . + {put: true, pool: $pools[0], addresses: ($found | map(.address)), detail: "in pool \($pools[0])"} end;

def judge($addresses):
	.result as $r |
	if .differs then . + {verdict: "conflict", detail: "listed more than once, with different VIPs: \(.sets)"}
	elif .again then . + {verdict: "skipped", detail: "listed before"}
	elif has_lease then
		if $r.claimRefused then
			. + {verdict: "conflict", holdfast: ($r.vips | map(.ip)),
			     detail: "its lease\(if $r.outcome == "restored" then ", in quarantine," else "" end) has \($r.vips | ips)"}
		elif $r.outcome == "restored" then . + {put: true, addresses: .vips, detail: "its lease is in quarantine and comes back"}
		else . + {verdict: "right"} end
	elif is_unclear then judge_addresses($addresses)
	elif $r.outcome == "adopted" then
		. + {put: true, addresses: [.vips[] | if test(":") then ($r.vips[] | .ip | select(test(":"))) else . end]}
	elif $r.outcome == "foreign" then . + {verdict: "rejected", detail: "its labels say that it lives in zone \($r.zone)"}
	else . + {verdict: "rejected", detail: ($r.problem.detail // "refused")} end;

# Of several services that bring one address along the first is served.
def settled:
	([[.[] | select(.put) | . as $item | .addresses[] | {ip: ., n: $item.n, words: ($item | words)}] | group_by(.ip)[] |
		select(length > 1) | sort_by(.n) | .[0] as $first | .[1:][] |
		{key: "\(.n)", value: "\($first.ip) is the VIP of \($first.words) too, which comes first"}] | from_entries) as $losers |
	map($losers["\(.n)"] as $detail | if $detail then del(.put) + {verdict: "conflict", detail: $detail} else . end);

def plural: {MeshService: "services", MeshExternalService: "externalservices", MeshMultiZoneService: "multizoneservices"}[.];

# Where the lease of exactly these addresses is acquired, or nothing.
def target:
	"/v1/meshes/\(.mesh | @uri)/zones/\(.zone | @uri)/\(.kind | plural)/\(.service | @uri)?" +
	([.vips[] | "address=\(@uri)"] + (if .pool then ["pool=\(.pool | @uri)"] else [] end) | join("&"));

# What became of an adoption: the answer to it, or null.
def adopted($answer):
	if ($answer | type) == "object" and $answer.vips and $answer.state == "active" then . + {verdict: "adopted"}
	elif ($answer | type) == "object" and ($answer.code == "address-taken" or $answer.code == "lease-exists") then
		. + {verdict: "conflict", late: true, detail: "since it was checked: \($answer.detail)"}
	elif ($answer | type) == "object" and $answer.code == "address-outside-pool" then
		. + {verdict: "out-of-pool", late: true, detail: "since it was checked: \($answer.detail)"}
	else . + {verdict: "failed", detail: (($answer | objects | .detail) // "no answer")} end;

def number: split(".") | reduce .[] as $part (0; . * 256 + ($part | tonumber));
def block($bits): pow(2; 32 - $bits) as $size | (number / $size | floor) * $size;
def dotted: [. / 16777216 % 256, . / 65536 % 256, . / 256 % 256, . % 256] | map(floor | tostring) | join(".");

# The smallest number of ranges that hold these addresses and overlap no pool: in what Kuma gives VIPs from, /8, elsewhere /16, or less.
def ranges($pools):
	[$pools[].cidrs[] | select(test(":") | not) | split("/") | (.[1] | tonumber) as $bits | .[0] | block($bits) |
		{from: ., to: (. + pow(2; 32 - $bits) - 1)}] as $taken |
	[.[] | select(is_ipv4) | . as $ip |
		first((if number >= 4026531840 then 8 else 16 end, 16, 20, 24, 28, 32) as $bits | ($ip | block($bits)) as $from |
			select(all($taken[]; .to < $from or .from > $from + pow(2; 32 - $bits) - 1)) | "\($from | dotted)/\($bits)")] | unique;

def hint($pools):
	[.[] | select(.verdict == "out-of-pool") | .vips[]] | unique | . as $ips | ranges($pools) as $ranges |
	($pools | map(.pool // .name)) as $names |
	first("kuma", ("kuma-" + (range(2; 1000) | tostring)) | select(. as $name | $names | index([$name]) | not)) as $name |
	if $ips == [] then null
	elif $ranges == [] or ($ranges | length) > 20 then "no pool has \($ips[0])\(if ($ips | length) > 1 then " and \(($ips | length) - 1) more" else "" end); create one for them"
	else "holdfast pools create \($name)\($ranges | map(" --cidr " + .) | join(""))" end;

# ---- kuma-drift

def compared($addresses):
	.result as $r | (has_lease) as $leased |
	if .again and (.differs | not) then . + {verdict: "skipped", detail: "listed before"}
	elif $leased and (if .again then (.vips - ($r.vips | map(.ip))) != [] else $r.claimRefused end) then
		. + {verdict: "moved", holdfast: ($r.vips | map(.ip))}
	elif $r.outcome == "restored" then . + {verdict: "no-lease", holdfast: ($r.vips | map(.ip)), detail: "its lease is in quarantine"}
	elif $leased then . + {verdict: "same", holdfast: ($r.vips | map(.ip))}
	elif $r.outcome == "created" or $r.outcome == "adopted" or $r.problem.code == "no-pool" or $r.problem.code == "pool-exhausted" then
		[.vips[] as $ip | $addresses[$ip] | objects] as $found |
		if any($found[]; .lease or .state == "reserved") then . + {verdict: "taken", detail: ($found | holders | join("; "))}
		else . + {verdict: "no-lease"} end
	elif $r.outcome == "foreign" then . + {verdict: "rejected", detail: "its labels say that it lives in zone \($r.zone)"}
	else . + {verdict: "rejected", detail: ($r.problem.detail // "refused")} end;

# ---- Telling: lines, each behind the name of the file that it is for and a tab.

def counts($verdicts): (reduce .[] as $item ({}; .[$item.verdict] += 1)) as $n | $verdicts | map({key: ., value: ($n[.] // 0)}) | from_entries;

def row: map(if . == null or . == "" then "-" else . end) | @tsv;

def lines_of_import($all):
	.counts as $counts |
	"report\t\(tojson)",
	([.items[] | select($all or (.verdict | . == "out-of-pool" or . == "conflict" or . == "rejected" or . == "failed"))] | select(. != []) |
		"table\t\(["ZONE", "MESH", "KIND", "SERVICE", "VIP", "VERDICT", "DETAIL"] | row)",
		"table\t\(.[] | [.zone, .mesh, .kind, .service, (.vips | join(", ")), .verdict, .detail] | row)"),
	([.items[] | select(.verdict == "skipped")] | group_by(.detail) | map("\(length) \(.[0].detail)") | join("; ")) as $skipped |
	($counts | to_entries[] | select(.value > 0 or (.key | . == "adopted" or . == "would adopt" or . == "right")) |
		"counts\t\([.key, .value, (if .key == "skipped" then $skipped else "" end)] | @tsv)"),
	(if .dryRun then "words\tA dry run: nothing was written.\(if $counts["would adopt"] > 0 then " --apply adopts." else "" end)" else empty end),
	(.hint // empty | if startswith("holdfast ") then "words\tA pool for what is out of pool, before this is run again:", "words\t  \(.)"
		else "words\tHint: \(.)" end),
	(if any($counts | .["out-of-pool"], .conflict, .rejected, .failed; . > 0) then "finding\tyes" else empty end);

def have: if . == 1 then "has" else "have" end;

def lines_of_drift:
	.counts as $counts | ($counts | .moved + .taken + .["no-lease"] + .rejected + .same) as $all |
	"report\t\(tojson)",
	(.items | select(. != []) | sort_by(.verdict | {"moved": 0, "taken": 1, "no-lease": 2, "rejected": 3}[.]) |
		"table\t\(["ZONE", "MESH", "KIND", "SERVICE", "VERDICT", "KUMA", "HOLDFAST", "SINCE", "DETAIL"] | row)",
		"table\t\(.[] | [.zone, .mesh, .kind, .service, .verdict, (.kuma | join(", ")), (.holdfast | join(", ")), (.since | if . then .[:19] + "Z" else . end), .detail] | row)"),
	"words\t\($counts.moved) of \($all) \(if $all == 1 then "service" else "services" end) with a VIP in Kuma \(if $counts.moved == 1 then "has" else "have" end) moved\(
		$counts.taken | if . > 0 then "; \(.) \(if . == 1 then "has its VIP" else "have their VIPs" end) taken by others" else "" end)\(
		$counts["no-lease"] | if . > 0 then "; \(.) \(have) no lease" else "" end)\(
		$counts.rejected | if . > 0 then "; \(.) cannot be compared" else "" end)\(
		$counts["no-vip"] | if . > 0 then "; \(.) more \(have) no VIP" else "" end)",
	(if $counts.moved + $counts.taken > 0 then "finding\tyes" else empty end);
