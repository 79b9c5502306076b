# Makes scripts/plan-check.sh's table. First file: known gaps, "CARD PRECISION PATTERN" a line, # for comments.
# Second: "MODEL CARD PRECISION PATTERN|ANSWER". Exit code 1 if something outside the gaps has no plan.
function kind(f,    s) {
	if (f[4] == "forward") {
		s = "forward, bias"
		if (f[14]) s = s ", residual"
		if (f[16]) s = s ", LeakyReLU"
		if (f[15] && f[16]) s = s ", both outputs"
	} else if (f[4] == "input-gradient") {
		s = "input gradient"
		if (f[16]) s = s " × LeakyReLU'"
		if (f[14]) s = s " + residual"
	} else s = "parameter gradient"
	return s
}

function remember(list, order, value) {
	if (!(value in list)) {
		order[++order[0]] = value
		list[value] = 1
	}
}

FNR == NR && FILENAME ~ /known-gaps$/ {
	if ($0 !~ /^#/ && NF) gaps[$0] = 1
	next
}

{
	split($0, halves, "|")
	n = split(halves[1], f, " ")
	name = halves[1]
	sub(/^[^ ]+ /, "", name)
	remember(models, model_order, f[1])
	column = f[2] " " f[3]
	remember(columns, column_order, column)
	row = kind(f)
	remember(rows, row_order, row)
	asked[f[1], row, column]++
	if (halves[2] ~ /^ok /) {
		good[f[1], row, column]++
		split(halves[2], a, " ")
		if (a[3] > most) { most = a[3]; most_at = name }
		if (a[3] <= 4096) small++
		planned++
	} else if (name in gaps) known[++known_count] = name
	else missing[++missing_count] = name ": " substr(halves[2], 1, 160)
}

END {
	for (m = 1; m <= model_order[0]; m++) {
		printf "\n%s", "| " model_order[m] " |"
		for (c = 1; c <= column_order[0]; c++) printf " %s |", column_order[c]
		printf "\n|---|"
		for (c = 1; c <= column_order[0]; c++) printf "---|"
		printf "\n"
		for (r = 1; r <= row_order[0]; r++) {
			printf "| %s |", row_order[r]
			for (c = 1; c <= column_order[0]; c++) {
				key = model_order[m] SUBSEP row_order[r] SUBSEP column_order[c]
				if (asked[key]) printf " %d/%d |", good[key], asked[key]
				else printf " – |"
			}
			printf "\n"
		}
	}
	total = planned + known_count + missing_count
	printf "\n%d of %d planned, %d of them with at most 4 KiB of workspace; most workspace: %.0f MB (%s)\n", planned, total, small, most / 1e6, most_at
	for (i = 1; i <= known_count; i++) printf "known gap: %s\n", known[i]
	for (i = 1; i <= missing_count; i++) printf "NO PLAN: %s\n", missing[i]
	exit missing_count > 0 || total == 0
}
