/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bash.c - completion for bash, written from the rows and the options
 *
 * One case a command: its keys, flags and words; the machine is not asked, for
 * a command of its own meets an empty one.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "help.h"

/* kernel|nowait to kernel nowait */
static void put_choices(FILE *f, const char *choices)
{
	for (; *choices; choices++)
		fputc(*choices == '|' ? ' ' : *choices, f);
}

static void put_args(FILE *f, const struct command *c)
{
	const struct arg *a;
	const char *gap = "";

	for (a = c->args; a && a->name; a++) {
		if (a->kind == ARG_WORD && !a->choices)
			continue;
		fputs(gap, f);
		gap = " ";
		if (a->kind == ARG_WORD)
			put_choices(f, a->choices);
		else
			fprintf(f, "%s%s", a->name,
				a->kind == ARG_KEY ? "=" : "");
	}
}

static void put_group(FILE *f, const char *group)
{
	fprintf(f, "\t\"%s \") words=\"", group);
	for (each_command(c)) {
		if (c->group && c->name && !strcmp(c->group, group))
			fprintf(f, "%s ", c->name);
	}
	fputs("\" ;;\n", f);
}

static void put_commands(FILE *f)
{
	const char *group = "";

	for (each_command(c)) {
		if (c->group && strcmp(c->group, group)) {
			group = c->group;
			put_group(f, group);
		}
		if (c->group && !c->name)
			continue;
		if (c->group)
			fprintf(f, "\t\"%s %s\") words=\"", c->group, c->name);
		else
			fprintf(f, "\t\"%s \") words=\"", c->name);
		put_args(f, c);
		fputs("\" ;;\n", f);
	}
}

/* What may stand behind a key's =. */
static void put_values(FILE *f)
{
	for (each_command(c)) {
		const struct arg *a;

		for (a = c->args; a && a->name; a++) {
			if (a->kind != ARG_KEY || !a->choices)
				continue;
			fprintf(f, "\t\"%s %s %s\") words=\"",
				c->group ? c->group : c->name,
				c->group && c->name ? c->name : "", a->name);
			put_choices(f, a->choices);
			fputs("\" ;;\n", f);
		}
	}
}

static void put_firsts(FILE *f)
{
	const char *before = "";

	for (each_command(c)) {
		const char *first = c->group ? c->group : c->name;

		if (strcmp(first, before))
			fprintf(f, "%s ", first);
		before = first;
	}
	fputs("test", f);
}

static void put_options(FILE *f, bool with_value)
{
	const struct option *o;

	for (o = slabctl_options; o->name; o++) {
		if (with_value && o->has_arg == required_argument)
			fprintf(f, "--%s|", o->name);
		else if (!with_value)
			fprintf(f, "--%s ", o->name);
	}
}

void help_bash(FILE *f)
{
	const struct topic *t;

	fputs("# bash completion for slabctl, made from the rows of its "
	      "commands\n"
	      "_slabctl() {\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} key= noun= verb= words= "
	      "i word\n"
	      "\tCOMPREPLY=()\n"
	      "\t# = is a word of its own to bash: size= 192\n"
	      "\tif [[ $cur == = ]]; then\n"
	      "\t\tkey=${COMP_WORDS[COMP_CWORD-1]} cur=\n"
	      "\telif [[ ${COMP_WORDS[COMP_CWORD-1]} == = ]]; then\n"
	      "\t\tkey=${COMP_WORDS[COMP_CWORD-2]}\n"
	      "\tfi\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tword=${COMP_WORDS[i]}\n"
	      "\t\tcase $word in\n"
	      "\t\t",
	      f);
	put_options(f, true);
	fputs("-c|-f)\n"
	      "\t\t\t((i++))\n"
	      "\t\t\t[[ ${COMP_WORDS[i]} == = ]] && ((i++)) ;;\n"
	      "\t\t-*|=) ;;\n"
	      "\t\t*)\n"
	      "\t\t\tif [[ -z $noun ]]; then noun=$word\n"
	      "\t\t\telif [[ -z $verb ]]; then verb=$word; fi ;;\n"
	      "\t\tesac\n"
	      "\tdone\n"
	      "\tcase ${COMP_WORDS[COMP_CWORD-1]} in\n"
	      "\t-f|--junit|--record|--exe|--core|--snap)\n"
	      "\t\tCOMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
	      "\tesac\n"
	      "\tif [[ $key == --color ]]; then\n"
	      "\t\twords=\"auto always never\"\n"
	      "\telif [[ -n $key && -z $noun ]]; then\n"
	      "\t\treturn\n"
	      "\telif [[ -z $noun && $cur == -* ]]; then\n"
	      "\t\twords=\"",
	      f);
	put_options(f, false);
	fputs("\"\n"
	      "\telif [[ -z $noun ]]; then\n"
	      "\t\twords=\"",
	      f);
	put_firsts(f);
	fputs("\"\n"
	      "\telif [[ $noun == test ]]; then\n"
	      "\t\tCOMPREPLY=($(compgen -f -W \"--tap --junit --jobs --filter "
	      "--update\" -- \"$cur\")); return\n"
	      "\telif [[ $noun == help ]]; then\n"
	      "\t\twords=\"",
	      f);
	put_firsts(f);
	for (t = topics; t->name; t++)
		fprintf(f, " %s", t->name);
	fputs(" man schema bash\"\n"
	      "\telif [[ -n $key ]]; then case \"$noun $verb $key\" in\n",
	      f);
	put_values(f);
	fputs("\tesac\n"
	      "\telse case \"$noun $verb\" in\n",
	      f);
	put_commands(f);
	fputs("\t*) # a verb of its own: its first word is no verb\n"
	      "\t\tcase $noun in\n",
	      f);
	for (each_command(c)) {
		if (c->group)
			continue;
		fprintf(f, "\t\t%s) words=\"", c->name);
		put_args(f, c);
		fputs("\" ;;\n", f);
	}
	fputs("\t\tesac ;;\n"
	      "\tesac; fi\n"
	      "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	      "\t[[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && "
	      "compopt -o nospace\n"
	      "\treturn 0\n"
	      "}\n"
	      "complete -F _slabctl slabctl\n",
	      f);
}
