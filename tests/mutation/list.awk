# SPDX-License-Identifier: MIT
# tests/mutation/list.awk - the list of mutations: read, checked, applied
#
#	awk -f list.awk check ROOT LIST...	is it in step with ROOT's sources?
#	awk -f list.awk names ROOT LIST...	NAME|FILE|CTEST|TEST|HANG|WANTED
#	awk -f list.awk apply=NAME ROOT LIST...	the mutated FILE
#
# README.md says what a mutation looks like. To those of the lists come some of
# each row of the library's tables: a wrong title, another count, the wrong text
# of a repair, and a wrong letter in a cell of the matrix.

BEGIN {
	verb = ARGV[1]
	root = ARGV[2]
	ARGV[1] = ARGV[2] = ""
}

# ---- reading ----
function complain(where, text) {
	print where ": " text
	bad++
}

function add(place, called) {
	n++
	at[n] = place
	name[n] = called
	wanted[n] = "killed"
	if (called in number)
		complain(place, "there is a " called " already")
	number[called] = n
}

/^#/ || /^$/ { next }
/^[-+=]/ {
	line = substr($0, 2) "\n"
	if (!/^\+/)
		old[n] = old[n] line
	if (!/^-/)
		new[n] = new[n] line
	next
}
$1 == "mutation" { add(FILENAME ":" FNR, $2); next }
$1 == "breaks" { breaks[n] = $0; next }
$1 == "takes" { $1 = ""; takes[n] = takes[n] $0; next }
$1 == "file" { file[n] = $2; next }
$1 == "test" { ctest[n] = $2; test[n] = $3; next }
$1 == "hang" { hang[n] = "hang"; next }
$1 == "wanted" { wanted[n] = $2; next }
$1 == "spare" { spare[$2] = FILENAME ":" FNR; next }
{ complain(FILENAME ":" FNR, "not a line of a list: " $0) }

# ---- sources ----
function contents(path,    line, text) {
	if (!(path in read_once)) {
		text = ""
		while ((getline line < (root "/" path)) > 0)
			text = text line "\n"
		close(root "/" path)
		read_once[path] = text
	}
	return read_once[path]
}

# How often whole lines stand in text; place is that of the first.
function occurrences(text, lines,    count, from, i) {
	text = "\n" text
	lines = "\n" lines
	from = 1
	count = 0
	while ((i = index(substr(text, from), lines)) > 0) {
		if (!count++)
			place = from + i - 1
		from += i
	}
	return count
}

# REPORT(ID, ... and its like.
function row_id(line) {
	sub(/^[A-Z]+\(/, "", line)
	sub(/,.*/, "", line)
	return line
}

# The n-th word in quotes of line becomes word.
function with_word(line, nth, word,    parts, nr, i, ret) {
	nr = split(line, parts, "\"")
	ret = parts[1]
	for (i = 2; i <= nr; i++)
		ret = ret "\"" (i == 2 * nth ? word : parts[i])
	return ret
}

function wrong_cell(cell, letter,    i) {
	i = index(cell, letter)
	if (!i)
		return (cell == "-" ? "" : cell) letter
	cell = substr(cell, 1, i - 1) substr(cell, i + 1)
	return cell == "" ? "-" : cell
}

# Row with another text or count than its own.
function add_row(called, what, path, line, wrong, by) {
	add(path, called)
	breaks[n] = what
	file[n] = path
	old[n] = line "\n"
	new[n] = wrong "\n"
	ctest[n] = by
	test[n] = by
	sub(/ .*/, "", ctest[n])
	sub(/.* /, "", test[n])
}

function add_reports(path,    lines, nr, i, id, wrong) {
	nr = split(contents(path), lines, "\n")
	for (i = 1; i <= nr; i++) {
		if (lines[i] !~ /^REPORT\(/)
			continue
		id = row_id(lines[i])
		wrong = lines[i]
		sub(/"/, "\"~", wrong)
		add_row("title-" id, "the title", path, lines[i], wrong,
			"unit/debug/report_titles every_title_prints_its_exact_line")
		wrong = lines[i]
		if (!sub(/, 0, /, ", 1, ", wrong))
			sub(/, 1, /, ", 0, ", wrong)
		add_row("count-" id, "whether it counts", path, lines[i], wrong,
			"unit/debug/report only_tails_and_warnings_do_not_count")
	}
}

function add_fixes(path,    lines, nr, i, wrong) {
	nr = split(contents(path), lines, "\n")
	for (i = 1; i <= nr; i++) {
		if (lines[i] !~ /^FIX\(/)
			continue
		wrong = lines[i]
		sub(/"/, "\"~", wrong)
		add_row("fix-" row_id(lines[i]), "the text", path, lines[i],
			wrong,
			"unit/debug/report_titles every_fix_prints_its_exact_line")
	}
}

# One mutation a row; which cell and letter, the row's number says.
function add_cells(path,    lines, nr, i, words, row, rows, kind, cell, wrong) {
	nr = split(contents(path), lines, "\n")
	rows = 0
	for (i = 1; i <= nr; i++) {
		if (lines[i] ~ /^CORRUPTION\(/) {
			split(lines[i], words, "\"")
			kind = words[2]
			kinds[kind] = 1
			row = ""
		}
		row = row lines[i] "\n"
		if (lines[i] !~ /^\t.*\)$/)
			continue
		if (split(lines[i], words, "\"") != 25) {
			complain(path ":" i, "not the 12 cells of a row")
			continue
		}
		rows++
		cell = 1 + rows * 5 % 12
		wrong = wrong_cell(words[2 * cell],
				   substr("afvdy", 1 + rows % 5, 1))
		add(path ":" i, "cell-" kind)
		breaks[n] = words[2 * cell] " for " wrong
		file[n] = path
		ctest[n] = "corruption/" kind
		old[n] = row
		new[n] = substr(row, 1, length(row) - length(lines[i]) - 1) \
			with_word(lines[i], cell, wrong) "\n"
	}
}

# ---- checking ----
function need(id, where) {
	needed[id] = where
	ids[++nr_ids] = id
}

function need_rows(path,    lines, nr, i) {
	nr = split(contents(path), lines, "\n")
	for (i = 1; i <= nr; i++)
		if (lines[i] ~ /^(REPORT|FIX)\(/)
			need(row_id(lines[i]), path ":" i)
}

function need_arrows(letter, numbers,    list, nr, i) {
	nr = split(numbers, list, " ")
	for (i = 1; i <= nr; i++)
		need(letter list[i], "arrow")
}

# Does the named test stand where its name says?
function check_test(i,    path, text) {
	if (ctest[i] ~ /^corruption\//) {
		if (!(substr(ctest[i], 12) in kinds))
			complain(at[i], "no row of corruptions.def: " ctest[i])
		return
	}
	path = "tests/" ctest[i] ".c"
	text = contents(path)
	if (text == "")
		complain(at[i], "no test " path)
	else if (!index(text, test[i] "(void **state)") ||
		 !index(text, test[i] "),"))
		complain(at[i], "no test " test[i] " in " path)
}

function check_takes(i,    list, nr, k) {
	nr = split(takes[i], list, " ")
	for (k = 1; k <= nr; k++) {
		if (!(list[k] in needed))
			complain(at[i], "nothing is called " list[k])
		taken[list[k]] = 1
	}
}

function check_mutation(i,    count) {
	if (!breaks[i])
		complain(at[i], name[i] " does not say what it breaks")
	if (old[i] == new[i])
		complain(at[i], name[i] " changes nothing")
	if (wanted[i] !~ /^(killed|survived|broken)$/)
		complain(at[i], "not killed, survived or broken: " wanted[i])
	if (contents(file[i]) == "") {
		complain(at[i], "no file " file[i])
		return
	}
	count = occurrences(contents(file[i]), old[i])
	if (count != 1)
		complain(at[i], "the old lines of " name[i] " stand " count \
			" times in " file[i] ", not once")
}

function check(    i, id) {
	need_rows("lib/include/slab/reports.def")
	need_rows("lib/include/slab/fixes.def")
	need_arrows("D", "1 2 3 4 5 6 7 8 9 10 11")
	need_arrows("T", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17")
	for (i = 1; i <= n; i++) {
		check_mutation(i)
		check_test(i)
		check_takes(i)
	}
	for (i = 1; i <= nr_ids; i++)
		if (!(ids[i] in taken) && !(ids[i] in spare))
			complain(needed[ids[i]], "no mutation takes " ids[i])
	for (id in spare)
		if (!(id in needed) || (id in taken))
			complain(spare[id], id " is no " \
				((id in taken) ? "exception" : "row"))
	print n " mutations, " bad + 0 " mistakes"
}

# ---- applying ----
function apply(i,    text) {
	text = contents(file[i])
	if (occurrences(text, old[i]) != 1) {
		complain(at[i], "the old lines are not once in " file[i])
		return
	}
	printf "%s%s%s", substr(text, 1, place - 1), new[i],
		substr(text, place + length(old[i]))
}

END {
	add_reports("lib/include/slab/reports.def")
	add_fixes("lib/include/slab/fixes.def")
	add_cells("lib/include/slab/corruptions.def")
	if (verb == "check")
		check()
	for (i = 1; i <= n && verb == "names"; i++)
		print name[i] "|" file[i] "|" ctest[i] "|" test[i] "|" \
			hang[i] "|" wanted[i]
	if (verb ~ /^apply=/) {
		sub(/^apply=/, "", verb)
		if (verb in number)
			apply(number[verb])
		else
			complain(verb, "there is no such mutation")
	}
	exit bad != 0
}
