/* SPDX-License-Identifier: MIT */
/*
 * machine/site.c - synthetic callers: a file, a line and what was typed there
 *
 * A site's address is a number that no page has, so a track holds it like any
 * return address. Sites are malloc'ed and kept over a reset: addresses that
 * somebody wrote down stay true.
 *
 * The hash buckets stand behind the array: the same block, as many as sites.
 */
#include "machine/machine.h"

#include <stdlib.h>
#include <string.h>

/* So that an address a little off a site's is no site. */
#define SITE_STRIDE 16

static uint32_t *site_buckets(struct site *sites, unsigned int max)
{
	return (uint32_t *)(sites + max);
}

static uint32_t site_hash(const char *file, unsigned int line, const char *text)
{
	uint32_t h = 2166136261U ^ line;

	for (; *file; file++)
		h = (h ^ (uint8_t)*file) * 16777619U;
	h *= 16777619U; /* the seam between the two counts */
	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 16777619U;
	return h;
}

static void site_link(struct site *sites, unsigned int max, unsigned int i)
{
	const struct site *site = &sites[i];
	uint32_t h = site_hash(site->file, site->line, site->text);
	uint32_t *bucket = &site_buckets(sites, max)[h & (max - 1)];

	sites[i].next = *bucket;
	*bucket = i + 1;
}

static bool sites_grow(struct slab_machine *m)
{
	unsigned int max = m->max_sites ? 2 * m->max_sites : 64;
	struct site *sites = calloc(max, sizeof(*sites) + sizeof(uint32_t));
	unsigned int i;

	if (!sites)
		return false;
	if (m->nr_sites)
		memcpy(sites, m->sites, m->nr_sites * sizeof(*sites));
	for (i = 0; i < m->nr_sites; i++)
		site_link(sites, max, i);
	free(m->sites);
	m->sites = sites;
	m->max_sites = max;
	return true;
}

static uintptr_t site_address(const struct slab_machine *m, unsigned int i)
{
	return m->base + SLOT_SITES + (uintptr_t)i * SITE_STRIDE;
}

/* 0 when there is none yet, else its index + 1. */
static unsigned int site_find(const struct slab_machine *m, const char *file,
			      unsigned int line, const char *text)
{
	uint32_t h = site_hash(file, line, text);
	unsigned int i;

	if (!m->max_sites)
		return 0;
	i = site_buckets(m->sites, m->max_sites)[h & (m->max_sites - 1)];
	while (i) {
		const struct site *site = &m->sites[i - 1];

		if (site->line == line && !strcmp(site->file, file) &&
		    !strcmp(site->text, text))
			break;
		i = site->next;
	}
	return i;
}

uintptr_t slab_machine_site(struct slab_machine *m, const char *file,
			    unsigned int line, const char *text)
{
	unsigned int i;
	size_t n, n_text;
	char *copy;

	file = file ? file : "";
	text = text ? text : "";
	i = site_find(m, file, line, text);
	if (i)
		return site_address(m, i - 1);
	if (m->nr_sites == MAX_SITES)
		return 0;
	if (m->nr_sites == m->max_sites && !sites_grow(m))
		return 0;
	n = strlen(file) + 1;
	n_text = strlen(text) + 1;
	copy = malloc(n + n_text);
	if (!copy)
		return 0;
	memcpy(copy, file, n);
	memcpy(copy + n, text, n_text);
	i = m->nr_sites++;
	m->sites[i] = (struct site){ .file = copy, .text = copy + n,
				     .line = line };
	site_link(m->sites, m->max_sites, i);
	return site_address(m, i);
}

void slab_machine_set_site(struct slab_machine *m, uintptr_t site)
{
	m->site = site;
}

bool slab_machine_site_lookup(const struct slab_machine *m, uintptr_t address,
			      const char **file, unsigned int *line,
			      const char **text)
{
	uintptr_t off = address - m->base - SLOT_SITES;
	const struct site *site;

	if (off % SITE_STRIDE || off / SITE_STRIDE >= m->nr_sites)
		return false;
	site = &m->sites[off / SITE_STRIDE];
	if (file)
		*file = site->file;
	if (line)
		*line = site->line;
	if (text)
		*text = site->text;
	return true;
}

void sites_fini(struct slab_machine *m)
{
	unsigned int i;

	for (i = 0; i < m->nr_sites; i++)
		free((char *)m->sites[i].file);
	free(m->sites);
	m->sites = NULL;
	m->nr_sites = m->max_sites = 0;
}
