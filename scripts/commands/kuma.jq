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
def name_of:
	(labels["kuma.io/display-name"] | text) // (.metadata | objects | .annotations | objects | .["kuma.io/display-name"] | text) //
	(.name | text) // (.metadata | objects | .name | text) // null;

# An address in any spelling that the server understands, as the server writes it if it is an IPv4 one; else the text.
def is_blank: . == 32 or . == 9 or . == 10 or . == 13;
def trimmed: explode | until(length == 0 or (.[0] | is_blank | not); .[1:]) | until(length == 0 or (.[-1] | is_blank | not); .[:-1]) | implode;
def number: split(".") | reduce .[] as $part (0; . * 256 + ($part | tonumber));
def dotted: [. / 16777216 % 256, . / 65536 % 256, . / 256 % 256, . % 256] | map(floor | tostring) | join(".");
def hexed: [. / 4096, . / 256, . / 16, .] | map((floor % 16) as $digit | "0123456789abcdef"[$digit:$digit + 1]) | add;
def unhexed: reduce explode[] as $c (0; . * 16 + (if $c >= 97 then $c - 87 elif $c >= 65 then $c - 55 else $c - 48 end));
def undotted:
	(split(":")[-1]) as $last |
	if $last | is_ipv4 then .[:length - ($last | length)] + ($last | number | [(. / 65536 | floor), . % 65536] | map(hexed) | join(":")) else . end;
def groups:
	split("::") | map(if . == "" then [] else split(":") | map(unhexed) end) |
	if length == 1 then .[0] else .[0] + [range(8 - (.[0] | length) - (.[1] | length)) | 0] + .[1] end;
def address:
	if is_ipv4 then .
	else trimmed |
		(if contains(":") then (if endswith("/128") then .[:-4] else . end) elif endswith("/32") then .[:-3] else . end) |
		if contains(":") and (undotted | is_ipv6) then
			(undotted | groups) as $groups |
			if $groups[:6] == [0, 0, 0, 0, 0, 65535] then $groups[6] * 65536 + $groups[7] | dotted else . end
		else . end
	end;

# The addresses that a document shows as its own, or what it shows in their stead; each once.
def shown:
	if type == "array" then .[] | shown elif type == "object" then .ip | shown elif type == "string" then select(trimmed != "") elif . == null then empty
	else tojson end;
def addresses_of:
	reduce (.status | objects | .vips, .vip | shown | address) as $ip ([]; if any(.[]; . == $ip) then . else . + [$ip] end);

# A document of a service. Whose it is, and whether its addresses are its own, the server says.
def service_item:
	{kind: (kind_of // "MeshService"), mesh: ((.mesh | text) // (labels["kuma.io/mesh"] | text) // "default"),
	 zone: (labels["kuma.io/zone"] | text), service: name_of, vips: addresses_of, modified: (.modificationTime | text), document: .};

# What has a VIP in a ConfigMap: a service, or what else uses it, which gets no lease, and whose address nobody else is to get.
def config_service($mesh; $vips):
	{kind: "MeshService", mesh: $mesh, zone: null, service: ., vips: $vips, config: true,
	 document: {type: "MeshService", mesh: $mesh, name: ., status: {vips: ($vips | map({ip: .}))}}};
def config_other($mesh; $vips; $what):
	{kind: "MeshService", mesh: $mesh, zone: null, service: ., vips: $vips, config: true, kept: $what};

# Of a kuma-<mesh>-dns-vips ConfigMap: "0:service" (a host is 1, a domain name of a VirtualOutbound 2; the oldest have no number) to an address,
# or to an object with the address.
def config_items($mesh):
	to_entries[] |
	((.key | capture("^(?<type>[0-9]+):(?<name>.*)$"; "m")) // {type: "0", name: .key}) as $entry |
	(((.value | strings) // (.value | objects | .address | strings) // "") | address | if . == "" then [] else [.] end) as $vips |
	$entry.name |
	if $entry.type == "0" then config_service($mesh; $vips)
	elif $entry.type == "1" then config_other($mesh; $vips; "a host name, which is no service")
	elif $entry.type == "2" then config_other($mesh; $vips; "a domain name of a VirtualOutbound, which is no service")
	else config_other($mesh; $vips; "of type \($entry.type), which is no service") end;

# The same by service, as Kuma writes it with KUMA_EXPERIMENTAL_USE_TAG_FIRST_VIRTUAL_OUTBOUND_MODEL: {"v": {service: {"oe": [{"ap": [{"a": address,
# "d": domain, "o": origin}]}]}}}. A service's own address has the origin "svc"; "k8s" is a ClusterIP.
def is_tag_first: (.v | type) == "object" and .v != {} and all(.v[]; . == null or type == "object" and (has("oe") or . == {}));
def once: reduce .[] as $x ([]; if any(.[]; . == $x) then . else . + [$x] end);
def tag_first_items($mesh):
	.v | to_entries[] | .key as $service |
	[.value | objects | .oe | arrays | .[] | objects | .ap | arrays | .[] | objects |
		{ip: ((.a | text) // "" | address), domain: (.d | text), origin: ((.o | text) // "")}] as $entries |
	($entries | map(select(.ip != "" and .domain == null and
		(.origin | . == "svc" or (. != "k8s" and (test("^(host|external-service|virtual-outbound|gateway|mesh-gateway)([:-]|$)") | not))))) | map(.ip) | once) as $own |
	($service | config_service($mesh; $own)),
	($entries | map(select(.ip as $ip | any($own[]; . == $ip) | not)) | once[] | . as $entry |
		($entry.domain // $service) | config_other($mesh; [$entry.ip | select(. != "")];
			if $entry.origin == "k8s" then "a host name of a Kubernetes Service, which is no service of its own"
			elif $entry.origin | startswith("virtual-outbound") then "a domain name of a VirtualOutbound, which is no service"
			elif $entry.origin == "" then "a host name, which is no service" else "a host name of \($entry.origin), which is no service" end));

def is_config: type == "object" and . != {} and
	(is_tag_first or all(.[]; (strings | address | is_ip or . == "") // (objects | .address | strings | true) // false));
def config_content($mesh): if is_tag_first then tag_first_items($mesh) else config_items($mesh) end;

def skipped($service; $detail): {kind: "ConfigMap", mesh: null, zone: null, service: $service, vips: [], verdict: "skipped", detail: $detail};
def config_map($name; $config; $mesh):
	(($name // "") | capture("^kuma-(?<mesh>.+)-dns-vips$") | .mesh) // (if $name == "kuma-dns-vips" then $mesh // false else null end) |
	if . == null then skipped($name; "a ConfigMap that does not hold VIPs")
	elif . == false then {bad: "kuma-dns-vips does not say its mesh: state --mesh"}
	else . as $mesh |
		if ($config // "") == "" then skipped($name; "a ConfigMap that holds no VIPs yet")
		else ($config | try fromjson catch null) |
			if . == {} then skipped($name; "a ConfigMap that holds no VIPs yet")
			elif type == "object" then config_content($mesh) else {bad: "the config of \($name) is no JSON object"} end
		end
	end;

def is_leased: . == "MeshService" or . == "MeshExternalService" or . == "MeshMultiZoneService";

def items($mesh):
	if type == "object" and (kind_of | is_leased) then service_item
	elif is_config then
		if $mesh == null then {bad: "this looks like the config of a kuma-<mesh>-dns-vips ConfigMap, which does not say its mesh: state --mesh"}
		else config_content($mesh) end
	elif type == "array" then .[] | items($mesh)
	elif type != "object" then {bad: "this is \(type), and neither a resource nor a list of them"}
	elif (.items | type) == "array" then
		{list: (.items | length), total: ((.total | numbers) // 0),
		 more: (((.next | text) // (.metadata | objects | .continue | text) // null) != null)},
		(.items[] | items($mesh))
	elif .items == null and has("items") then empty
	else kind_of as $kind |
		if $kind == "ConfigMap" then config_map(.metadata | objects | .name; .data | objects | .config; $mesh)
		elif $kind == "Config" then config_map(.name; .config; $mesh)
		elif $kind == "Status" then {bad: "this is not a list but an error: \(.message)"}
		elif $kind == null and name_of != null then service_item
		elif ($kind // "") | test("^[A-Z][A-Za-z0-9]*$") then
			{kind: $kind, mesh: null, zone: null, service: name_of, vips: [], verdict: "skipped", detail: "no VIP is leased to a \($kind)"}
		else {bad: "this object is neither a resource nor a list of them"} end
	end;

# Of the meshes that are asked for.
def of_mesh($mesh):
	if .bad or .list or $mesh == null or .mesh == null or .mesh == $mesh then .
	else del(.document, .kept) + {vips: [], verdict: "skipped", detail: "of another mesh than \($mesh)"} end;

# ---- What the server says of the items, and the items together.

def id: [.zone, .mesh, .kind, .service];
def words: "\(.kind) \(.service) of zone \(.zone), mesh \(.mesh)";
def ips: map(.ip) | join(", ");

# An item, whose it is in the server's eyes, and what can be said of it before its zone is asked. $here: the zone whose list this is; null: that is
# not said, and the item is homeless if it has a VIP and does not say its zone either.
def placed($here):
	.result as $r |
	(if $r.service then . + {zone: ($r.zone // $here), mesh: $r.mesh, kind: $r.kind, service: $r.service} else . + {zone: (.zone // $here)} end) |
	if $r.clusterAddresses then . + {verdict: "skipped", cluster: true, detail: "addresses of its Kubernetes cluster (ClusterIP, Pod IPs), which are no VIPs"}
	elif .vips == [] then . + {verdict: "no-vip", detail: "Kuma shows no VIP"}
	elif ($r.service | not) then . + {verdict: "rejected", nameless: true, detail: ($r.problem.detail // "refused")}
	elif any(.vips[]; is_ip | not) or any($r.claimRefused[]?; .reason == "not-an-address") then
		. + {verdict: "rejected", detail: "its VIP \"\(first(.vips[] | select(is_ip | not)) // $r.claimRefused[0].address | .[:60])\" is no IP address"}
	elif .zone == null then . + {homeless: true}
	else . end;

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

# What became of a reservation; of a name that was refused it is said aside.
def reserved($failed):
	[.reserve[] | select(.pool as $pool | any($failed[]; . == $pool)) | .address] as $free |
	if $free != [] then . + {verdict: "failed", detail: "\(.detail); \($free | join(", ")) could not be reserved"}
	elif .kept then . + {verdict: "reserved"} else . end;

def block($bits): pow(2; 32 - $bits) as $size | (number / $size | floor) * $size;
# The smallest number of ranges that hold these addresses and overlap no pool: in what Kuma gives VIPs from, /8, elsewhere /16, or less.
def ranges($pools):
	[$pools[].cidrs[] | select(test(":") | not) | split("/") | (.[1] | tonumber) as $bits | .[0] | block($bits) |
		{from: ., to: (. + pow(2; 32 - $bits) - 1)}] as $taken |
	[.[] | select(is_ipv4) | . as $ip |
		first((if number >= 4026531840 then 8 else 16 end, 16, 20, 24, 28, 32) as $bits | ($ip | block($bits)) as $from |
			select(all($taken[]; .to < $from or .from > $from + pow(2; 32 - $bits) - 1)) | "\($from | dotted)/\($bits)")] | unique;

# Texts as the names of an object, as a list would be searched from its beginning for each of many.
def set: reduce .[] as $text ({}; .[$text] = true);

# Addresses as the fewest ranges, as `--reserve` takes them.
def spans:
	unique | map(select(is_ipv4)) as $four | map(select(is_ipv4 | not)) as $six |
	($four | map(number) | sort | reduce .[] as $n ([]; if . != [] and .[-1][1] + 1 == $n then .[-1][1] = $n else . + [[$n, $n]] end) |
		map(if .[0] == .[1] then .[0] | dotted else "\(.[0] | dotted)-\(.[1] | dotted)" end)) + $six;

# What a pool of these ranges must never give away: all that Kuma shows there but that cannot be adopted as it is.
def in_use($ranges):
	($ranges | map(split("/") | (.[1] | tonumber) as $bits | .[0] | number | {from: ., to: (. + pow(2; 32 - $bits) - 1)})) as $spans |
	([.[] | select(.verdict == "out-of-pool" and (.vips | map(select(is_ipv4)) | length) == 1) | .vips[]] | set) as $leasable |
	[.[].vips[] | select(is_ipv4)] | unique | map(select(($leasable[.] | not) and (number as $n | any($spans[]; .from <= $n and $n <= .to))));

def hint($pools):
	[.[] | select(.verdict == "out-of-pool") | .vips[]] | unique | . as $ips | ranges($pools) as $ranges |
	($pools | map(.pool // .name)) as $names |
	first("kuma", ("kuma-" + (range(2; 1000) | tostring)) | select(. as $name | $names | index([$name]) | not)) as $name |
	if $ips == [] then null
	elif $ranges == [] or ($ranges | length) > 20 then "no pool has \($ips[0])\(if ($ips | length) > 1 then " and \(($ips | length) - 1) more" else "" end); create one for them"
	else {name: $name, ranges: $ranges} end;
def hint_text($pools):
	. as $items | hint($pools) | if type != "object" then . else
		"holdfast pools create \(.name)\(.ranges | map(" --cidr " + .) | join(""))\(.ranges as $ranges | $items | in_use($ranges) | spans | map(" --reserve " + .) | join(""))" end;

# What Kuma uses and no lease can hold, and what is to be done about it: to reserve what is free.
def reserving($addresses):
	([.[] | select(.put) | .addresses[]?] | set) as $adopted |
	map(if (.kept or .nameless) | not then .
		else . as $item | (.kept // .detail) as $what |
		[.vips[] | select(is_ip) as $ip | $addresses[$ip] // {address: $ip, state: "unknown"}] as $found |
		(($found | map(select(.lease) | .address)) + [.vips[] | select($adopted[.])]) as $held |
		($found | map(select(.state == "free" and ($adopted[.address] | not)))) as $free |
		(if .kept and .vips == [] then . + {verdict: "skipped", detail: $what}
		elif .kept and ($found | length) < (.vips | length) then . + {verdict: "rejected", detail: "\($what); its VIP is no IP address"}
		elif $free != [] then . + {reserve: ($free | map({pool, address}))} + (if .kept then {verdict: "would reserve", detail: $what} else
			{detail: "\($what); \($free | map(.address) | join(", ")) is kept out of what is given away"} end)
		elif .kept and any($found[]; .lease) then . + {verdict: "conflict", detail: "\($what); \($found | holders | join("; "))"}
		elif .kept and $held != [] then . + {verdict: "skipped", detail: "\($what), and has the VIP of a service"}
		elif .kept and any($found[]; .state == "reserved") then . + {verdict: "reserved", detail: $what}
		elif .kept then . + {verdict: "skipped", detail: "\($what); its VIP is in no pool"} else . end) end);

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
	else . + {verdict: "rejected", detail: ($r.problem.detail // "refused")} end;

# ---- Telling: lines, each behind the name of the file that it is for and a tab.

def counts($verdicts): (reduce .[] as $item ({}; .[$item.verdict] += 1)) as $n | $verdicts | map({key: ., value: ($n[.] // 0)}) | from_entries;

def row: map(if . == null or . == "" then "-" else . end) | @tsv;

def lines_of_import($all; $zone):
	.counts as $counts |
	"report\t\(tojson)",
	([.items[] | select($all or (.verdict | . == "out-of-pool" or . == "conflict" or . == "rejected" or . == "failed" or . == "would reserve"))] | select(. != []) |
		"table\t\(["ZONE", "MESH", "KIND", "SERVICE", "VIP", "VERDICT", "DETAIL"] | row)",
		"table\t\(.[] | [.zone, .mesh, .kind, .service, (.vips | join(", ")), .verdict, .detail] | row)"),
	([.items[] | select(.verdict == "skipped")] | group_by(.detail) | map("\(length) \(.[0].detail)") | join("; ")) as $skipped |
	($counts | to_entries[] | select(.value > 0 or (.key | . == "adopted" or . == "would adopt" or . == "right")) |
		"counts\t\([.key, .value, (if .key == "skipped" then $skipped else "" end)] | @tsv)"),
	([.items[] | select($zone != "" and .zone != $zone and (.verdict | . == "adopted" or . == "would adopt" or . == "right"))] | length |
		if . > 0 then "words\t\(.) of them \(if . == 1 then "lives" else "live" end) in another zone than \($zone), and \(if . == 1 then "is" else "are" end) filed there, with the VIP that \($zone) shows." else empty end),
	(if .dryRun then "words\tA dry run: nothing was written.\(if $counts["would adopt"] + $counts["would reserve"] > 0 then " --apply \(
		[("adopts" | select($counts["would adopt"] > 0)), ("reserves" | select($counts["would reserve"] > 0))] | join(" and "))." else "" end)" else empty end),
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
		$counts["no-vip"] | if . > 0 then "; \(.) more \(have) no VIP" else "" end)\(
		.cluster | if . > 0 then "; \(.) more \(if . == 1 then "shows" else "show" end) addresses of a Kubernetes cluster, which are no VIPs" else "" end)",
	(if $counts.moved + $counts.taken > 0 then "finding\tyes" else empty end);

# ---- kuma-check

# What stands in the way of a zone's first sync: results of dry runs, and for a sync that would be refused its problem.
def obstacles:
	if .refused then {kind: .listed, mesh: null, service: null, verdict: "released",
	                  detail: "\(.refused.summary.released // "some") leases of this kind are not listed: \(.refused.detail)"}
	else . as $r | {kind: ($r.kind // $r.listed), mesh, zone, service, vips: ($r.vips // [] | map(.ip))} |
		if $r.outcome == "rejected" then . + {verdict: "rejected", detail: $r.problem.detail}
		elif $r.outcome == "released" then . + {verdict: "released", detail: "the zone holds a lease of it, and it is not listed"}
		elif $r.outcome == "created" and ($r.clusterAddresses | not) then
			. + {verdict: "created", detail: ($r.claimRefused // [] | if . == [] then "it has no lease, and Kuma shows no VIP" else map("\(.address): \(.reason)") | join(", ") end)}
		elif $r.claimRefused then . + {verdict: "refused", detail: ($r.claimRefused | map("\(.address): \(.reason)") | join(", "))}
		else empty end
	end;

def verdict_of_check($zone; $aside):
	. as $results |
	["created", "adopted", "unchanged", "updated", "restored", "released", "foreign", "rejected"] as $outcomes |
	{zone: $zone, items: [$results[] | obstacles],
	 summary: (reduce ($results[] | select(.refused | not)) as $r ($outcomes | map({key: ., value: 0}) | from_entries; .[$r.outcome] += 1) |
		.released += ([$results[].refused.summary.released // 0] | add // 0)),
	 cluster: ([$results[] | select(.clusterAddresses)] | length), skipped: ($aside | length)} |
	{zone, ready: (.items == []), summary, cluster, skipped, items};

def lines_of_check:
	"report\t\(tojson)",
	(.items | select(. != []) |
		"table\t\(["KIND", "MESH", "SERVICE", "VERDICT", "HOLDFAST", "DETAIL"] | row)",
		"table\t\(.[] | [.kind, .mesh, .service, .verdict, (.vips // [] | join(", ")), .detail] | row)"),
	"words\t\(.summary | to_entries | map(select(.value > 0) | "\(.value) \(.key)") | if . == [] then "nothing" else join(", ") end)\(
		.cluster | if . > 0 then "; \(.) \(if . == 1 then "shows" else "show" end) addresses of a Kubernetes cluster, which are no VIPs" else "" end)\(
		.skipped | if . > 0 then "; \(.) skipped, which are no services" else "" end)",
	(if .ready then "words\tZone \(.zone) can be switched: nothing of it would change." else
		"words\tZone \(.zone) is not ready: \(.items | length) \(if (.items | length) == 1 then "item stands" else "items stand" end) in the way.", "finding\tyes" end);
