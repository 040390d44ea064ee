# SPDX-License-Identifier: MIT
# man.awk - section 3 of the manual, from the public headers
#
#	awk -v out=DIR -v version=0.1.0 -v date=2026-01-31 -f man.awk slab/*.h
#
# -v strict=1: exit 1 when a function has no comment.
#
# A page for each run of functions that one comment speaks of, an alias page
# for each further name in it, and a page for each header. Why not a tool:
# those that read C headers (doxygen, kernel-doc, gtk-doc) want marks of their
# own in each comment and one comment a function, and none of them makes pages
# one would want to read; our comments are for who reads the header.
#
# What is read of a header:
#	its first comment; paragraphs that begin "Errors:", "Locking:", ... are
#	    also said on the pages of its functions
#	comments, which belong to what follows up to a blank line;
#	    "---- so ----" is a heading and belongs to nothing
#	functions, which begin with SLAB_API
#	macros with arguments that call one of them: one more name of its page
#	structures and enumerations, shown where a function takes one

# ---- reading ----
function complain(text)
{
	printf "%s:%d: %s\n", FILENAME, FNR, text >"/dev/stderr"
	failed = 1
}

function begin_header(    name)
{
	name = FILENAME
	sub(/.*\//, "", name)
	header = "slab/" name
	page_of_header[header] = "slab_" name
	headers[++nr_headers] = header
	wants_top = 1
	state = comment = run = ""
}

# The text of a comment that is all there, without its frame.
function comment_text(raw,    n, i, lines, text, line)
{
	sub(/^[ \t]*\/\*[ \t]?/, "", raw)
	sub(/[ \t]*\*\/[ \t]*$/, "", raw)
	n = split(raw, lines, "\n")
	for (i = 1; i <= n; i++) {
		line = lines[i]
		if (i > 1)
			sub(/^[ \t]*\*( |$)?/, "", line)
		sub(/[ \t]+$/, "", line)
		text = text line "\n"
	}
	gsub(/^\n+|\n+$/, "", text)
	return text
}

function end_comment(    text)
{
	text = comment_text(raw)
	state = ""
	if (wants_top) {
		wants_top = 0
		top_comment(text)
	} else if (text ~ /^----/) {
		comment = run = ""
	} else {
		comment = text
		run = ""
	}
}

# "slab/x.h - what it is", text, and paragraphs with a label.
function top_comment(text,    n, i, lines, label)
{
	n = split(text, lines, "\n")
	brief_of[header] = lines[1]
	sub(/^[^ ]+ - /, "", brief_of[header])
	label = ""
	for (i = 2; i <= n; i++) {
		if (match(lines[i], /^[A-Z][a-z]+: +/)) {
			label = substr(lines[i], 1, index(lines[i], ":") - 1)
			labels[header] = labels[header] " " label
			lines[i] = substr(lines[i], RLENGTH + 1)
		} else if (lines[i] == "" && label != "") {
			label = ""
			continue
		}
		if (label != "") {
			sub(/^ +/, "", lines[i])
			labelled[header, label] = \
				labelled[header, label] lines[i] "\n"
		} else {
			about[header] = about[header] lines[i] "\n"
		}
	}
}

# SLAB_API goes, and the columns that lines behind an open parenthesis had of it.
function without_mark(text,    n, i, lines, out, is_open)
{
	n = split(text, lines, "\n")
	is_open = lines[1] ~ /\(/
	sub(/^SLAB_API[ \t]*/, "", lines[1])
	out = lines[1]
	for (i = 2; i <= n; i++) {
		lines[i] = expanded(lines[i])
		if (is_open)
			sub(/^         /, "", lines[i])
		out = out (out == "" ? "" : "\n") lines[i]
	}
	return out
}

function end_declaration(    text, name)
{
	state = ""
	text = raw
	if (text ~ /[^a-z_]extern[ \t]/ || text ~ /^extern/)
		return # data: the header's page says what it is
	text = without_mark(text)
	name = text
	sub(/[ \t\n]*\(.*/, "", name)
	sub(/.*[^A-Za-z0-9_]/, "", name)
	if (name in run_of)
		return # said again, for an inline form
	if (run == "") {
		run = ++nr_runs
		first[run] = name
		header_of[run] = header
		says[run] = comment
		runs_of[header] = runs_of[header] " " run
		if (comment == "")
			complain(name "() has no comment above it, which " \
				 "would be its page")
	}
	run_of[name] = run
	names[run] = names[run] (names[run] == "" ? "" : " ") name
	prototypes[run] = prototypes[run] text "\n"
}

# A macro with arguments, kept until all functions are known.
function end_macro(    text, name)
{
	state = ""
	text = raw
	sub(/^#[ \t]*define[ \t]+/, "", text)
	if (text !~ /^[A-Za-z_0-9]+\(/)
		return
	name = substr(text, 1, index(text, "(") - 1)
	macro[++nr_macros] = name
	macro_call[nr_macros] = substr(text, 1, index(text, ")")) ";"
	gsub(/__/, "", macro_call[nr_macros])
	macro_body[nr_macros] = substr(text, index(text, ")") + 1)
	macro_says[nr_macros] = comment
}

function end_type(    words, kind, text)
{
	state = ""
	text = raw
	split(text, words, /[ \t\n{]+/)
	kind = words[1] " " words[2]
	type_text[kind] = text
	types_of[header] = types_of[header] kind "\n"
}

FNR == 1 { begin_header() }

state == "" && /^[ \t]*\/\*/ && !/^[ \t]*\/\*.*\*\/[ \t]*[^ \t]/ {
	raw = $0
	state = "comment"
	if (/\*\//)
		end_comment()
	next
}
state == "comment" {
	raw = raw "\n" $0
	if (/\*\//)
		end_comment()
	next
}
state == "" && /^(extern )?SLAB_API/ {
	raw = $0
	state = "declaration"
	if (/;/)
		end_declaration()
	next
}
state == "declaration" {
	raw = raw "\n" $0
	if (/;/)
		end_declaration()
	next
}
state == "" && /^#[ \t]*define/ {
	raw = $0
	state = "macro"
	if (!/\\$/)
		end_macro()
	next
}
state == "macro" {
	raw = raw "\n" $0
	if (!/\\$/)
		end_macro()
	next
}
state == "" && /^(struct|enum) [a-z_]+ \{/ {
	raw = $0
	state = "type"
	if (/\};?$/)
		end_type()
	next
}
state == "type" {
	raw = raw "\n" $0
	if (/^\}/)
		end_type()
	next
}
/^[ \t]*$/ { comment = run = "" }

# ---- writing ----
function escaped(text)
{
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	gsub(/'/, "\\(aq", text)
	gsub(/`/, "\\(ga", text)
	gsub(/\^/, "\\(ha", text)
	gsub(/~/, "\\(ti", text)
	return text
}

# Functions that have a page stand out, and are remembered for SEE ALSO.
function marked(line, own,    rest, name, done)
{
	while (match(line, /[A-Za-z_][A-Za-z_0-9]*\(\)/)) {
		name = substr(line, RSTART, RLENGTH - 2)
		rest = substr(line, RSTART + RLENGTH)
		done = done escaped(substr(line, 1, RSTART - 1))
		if (name in run_of) {
			done = done "\\fB" name "\\fP()"
			if (run_of[name] != own)
				also[name] = 1
		} else {
			done = done name "()"
		}
		line = rest
	}
	return done escaped(line)
}

# Prose is filled; what is set off by a tab, or by blanks more than its
# paragraph, stays as it is drawn.
function prose(text, own, file,    n, i, lines, is_drawn, was_drawn, gap)
{
	sub(/\n+$/, "", text)
	sub(/^\n+/, "", text)
	n = split(text, lines, "\n")
	was_drawn = gap = 0
	for (i = 1; i <= n; i++) {
		if (lines[i] == "") {
			gap = 1
			continue
		}
		is_drawn = lines[i] ~ /^(\t|  )/ || lines[i] ~ /[^ ]\t/
		if (was_drawn && (!is_drawn))
			print ".fi\n.RE" >file
		if (is_drawn && !was_drawn)
			print (i > 1 ? ".PP\n" : "") ".RS 4\n.nf" >file
		else if (is_drawn && gap)
			print "" >file
		else if (!is_drawn && (gap || was_drawn) && i > 1)
			print ".PP" >file
		if (is_drawn)
			sub(/^\t/, "", lines[i])
		lines[i] = marked(expanded(lines[i]), own)
		sub(/^\./, "\\\\\\&.", lines[i])
		print lines[i] >file
		was_drawn = is_drawn
		gap = 0
	}
	if (was_drawn)
		print ".fi\n.RE" >file
}

# A terminal's tabs, which a page does not have.
function expanded(line,    at)
{
	while (at = index(line, "\t"))
		line = substr(line, 1, at - 1) \
			substr("        ", (at - 1) % 8 + 1) \
			substr(line, at + 1)
	return line
}

function drawn(text, file,    n, i, lines)
{
	sub(/\n+$/, "", text)
	n = split(text, lines, "\n")
	print ".nf" >file
	for (i = 1; i <= n; i++)
		print escaped(expanded(lines[i])) >file
	print ".fi" >file
}

function title(page, file)
{
	printf ".TH %s 3 %s \"slab %s\" \"libslab\"\n", toupper(page), date,
		version >file
}

# The first sentence, as `whatis` shows it.
function brief(text,    i, c, depth)
{
	gsub(/[ \t\n]+/, " ", text)
	sub(/ \(errno [^)]*\)/, "", text)
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		depth += (c == "(") - (c == ")")
		if (depth <= 0 && substr(text, i, 2) ~ /^[.;:]( |$)/)
			break
	}
	return escaped(substr(text, 1, i - 1))
}

function listed(text,    out, n, i, words)
{
	n = split(text, words, " ")
	for (i = 1; i <= n; i++)
		out = out (i > 1 ? ", " : "") escaped(words[i])
	return out
}

# Structures and enumerations that the prototypes name.
function types_named(text,    n, i, words, kind, out)
{
	n = split(text, words, /[^A-Za-z_0-9]+/)
	delete seen
	for (i = 1; i < n; i++) {
		kind = words[i] " " words[i + 1]
		if (kind in type_text && !(kind in seen)) {
			seen[kind] = 1
			out = out "\n" type_text[kind] "\n"
		}
	}
	return out
}

# Pages in the order they were thought of: headers, in theirs.
function see_also(own_header, own, file,    name, n, i, j, list, t)
{
	n = 0
	for (name in also)
		list[++n] = name
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
			t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
		}
	print ".SH SEE ALSO" >file
	for (i = 1; i <= n; i++)
		printf ".BR %s (3),\n", escaped(list[i]) >file
	for (i = 1; i <= nr_headers; i++)
		if (!own || headers[i] == own_header)
			if (headers[i] != own_header || own)
				printf ".BR %s (3),\n",
					page_of_header[headers[i]] >file
	print ".BR slabctl (1)" >file
}

function labels_of(h, which, file,    n, i, words, text)
{
	n = split(labels[h], words, " ")
	for (i = 1; i <= n; i++) {
		if (which != "all" && words[i] !~ which)
			continue
		printf ".SH %s\n", toupper(words[i]) >file
		text = labelled[h, words[i]]
		prose(toupper(substr(text, 1, 1)) substr(text, 2), own_run,
		      file)
	}
}

# Links, because manual pages that only name another one are going out of use.
function write_aliases(run,    n, i, words)
{
	n = split(names[run], words, " ")
	for (i = 1; i <= n; i++)
		if (words[i] != first[run])
			printf "ln -s %s.3 %s.3\n", first[run], words[i] | link
}

function write_run(run,    file, h)
{
	h = header_of[run]
	file = out "/" first[run] ".3"
	delete also
	own_run = run
	title(first[run], file)
	print ".SH NAME" >file
	printf "%s \\- %s\n", listed(names[run]), brief(says[run]) >file
	print ".SH LIBRARY\nSLUB in user space (libslab, \\-lslab)" >file
	printf ".SH SYNOPSIS\n.B #include <%s>\n.PP\n", h >file
	print ".ft B" >file
	drawn(prototypes[run], file)
	print ".ft R" >file
	print ".SH DESCRIPTION" >file
	prose(says[run], run, file)
	if (types_named(prototypes[run]) != "") {
		print ".SH TYPES" >file
		drawn(substr(types_named(prototypes[run]), 2), file)
	}
	labels_of(h, "^(Errors|Locking|Threads|Lifetime)$", file)
	see_also(h, run, file)
	close(file)
	write_aliases(run)
}

function write_header(h,    file, n, i, words, kinds)
{
	file = out "/" page_of_header[h] ".3"
	delete also
	own_run = 0
	title(page_of_header[h], file)
	print ".SH NAME" >file
	printf "%s \\- %s\n", page_of_header[h], escaped(brief_of[h]) >file
	print ".SH SYNOPSIS" >file
	printf ".B #include <%s>\n", h >file
	if (about[h] ~ /[^\n]/) {
		print ".SH DESCRIPTION" >file
		prose(about[h], 0, file)
	}
	labels_of(h, "all", file)
	n = split(runs_of[h], words, " ")
	if (n)
		print ".SH FUNCTIONS" >file
	for (i = 1; i <= n; i++)
		printf ".TP\n.B %s\n%s\n", listed(names[words[i]]),
			brief(says[words[i]]) >file
	n = split(types_of[h], kinds, "\n")
	if (n > 1)
		print ".SH TYPES" >file
	for (i = 1; i < n; i++) {
		drawn(type_text[kinds[i]], file)
		if (i < n - 1)
			print ".PP" >file
	}
	delete also
	see_also(h, 0, file)
	close(file)
}

# A macro's page is that of the first function its body names.
function settle_macro(m,    n, i, words, run)
{
	n = split(macro_body[m], words, /[^A-Za-z_0-9]+/)
	for (i = 1; i <= n && !(words[i] in run_of); i++)
		;
	if (i > n || macro[m] in run_of)
		return
	run = run_of[words[i]]
	run_of[macro[m]] = run
	# A name for the kernel's eyes is not what the page is called.
	if (first[run] ~ /^__/) {
		names[run] = macro[m] " " names[run]
		first[run] = macro[m]
		prototypes[run] = macro_call[m] "\n" prototypes[run]
	} else {
		names[run] = names[run] " " macro[m]
		prototypes[run] = prototypes[run] macro_call[m] "\n"
	}
	if (macro_says[m] != "" && macro_says[m] != says[run])
		says[run] = says[run] "\n\n\t" \
			indented(macro_says[m])
}

function indented(text)
{
	gsub(/\n/, "\n\t", text)
	return text
}

END {
	link = "cd '" out "' && sh"
	for (i = 1; i <= nr_macros; i++)
		settle_macro(i)
	for (i = 1; i <= nr_runs; i++)
		write_run(i)
	for (i = 1; i <= nr_headers; i++)
		write_header(headers[i])
	if (close(link) != 0)
		failed = 1
	exit strict ? failed : 0
}
