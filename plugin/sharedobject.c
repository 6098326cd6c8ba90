#include "sharedobject.h"

#include <elf.h>
#include <link.h>
#include <string.h>

static const uint32_t HIDDEN_VERSION = 0x8000;

/* The linker's names for where this library begins and ends. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

/* Dynamic linkers differ in whether they relocate the section's pointers in place. */
static const void *loaded_address(const struct sharedobject *object, ElfW(Addr) address)
{
	return (const void *)(address < object->base ? address + object->base : address);
}

static void read_dynamic(struct sharedobject *object)
{
	const ElfW(Dyn) * entry;
	const ElfW(Dyn) *soname = NULL;

	for (entry = object->dynamic; entry && entry->d_tag != DT_NULL; entry++) {
		const void *table = loaded_address(object, entry->d_un.d_ptr);

		switch (entry->d_tag) {
		case DT_SYMTAB:
			object->symbols = table;
			break;
		case DT_STRTAB:
			object->strings = table;
			break;
		case DT_VERSYM:
			object->versions = table;
			break;
		case DT_VERDEF:
			object->definitions = table;
			break;
		case DT_GNU_HASH:
			object->gnu_hash = table;
			break;
		case DT_HASH:
			object->sysv_hash = table;
			break;
		case DT_SONAME:
			soname = entry;
			break;
		default:
			break;
		}
	}
	if (soname && object->strings)
		object->soname = object->strings + soname->d_un.d_val;
}

/* The linker does not tell where an object is mapped: its loadable segments do. */
static void read_object(struct sharedobject *object, const struct dl_phdr_info *info)
{
	*object = (struct sharedobject){
		.name = info->dlpi_name, .base = info->dlpi_addr, .start = UINTPTR_MAX};

	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_DYNAMIC)
			object->dynamic = (const void *)start;
		if (segment->p_type != PT_LOAD)
			continue;
		if (start < object->start)
			object->start = start;
		if (start + segment->p_memsz > object->end)
			object->end = start + segment->p_memsz;
	}
}

/* The kernel's vDSO, or a file made by hand, may lack a table. */
static bool has_symbols(const struct sharedobject *object)
{
	return object->symbols && object->strings && (object->gnu_hash || object->sysv_hash);
}

static int read_generation(struct dl_phdr_info *info, size_t size, void *generation)
{
	(void)size;
	*(unsigned long *)generation = (unsigned long)(info->dlpi_adds + info->dlpi_subs);
	return 1;
}

unsigned long sharedobject_generation(void)
{
	unsigned long generation = 0;

	dl_iterate_phdr(read_generation, &generation);
	return generation;
}

struct walk {
	sharedobject_visitor *visit;
	void *context;
};

static int visit_object(struct dl_phdr_info *info, size_t size, void *context)
{
	const struct walk *walk = context;
	struct sharedobject object;

	(void)size;
	read_object(&object, info);
	read_dynamic(&object);
	return walk->visit(&object, walk->context);
}

bool sharedobject_each(sharedobject_visitor *visit, void *context)
{
	struct walk walk = {.visit = visit, .context = context};

	return dl_iterate_phdr(visit_object, &walk) != 0;
}

struct search {
	struct sharedobject *found;
	const void *address;
};

/* Read the tables of the match alone: a program may have hundreds of objects. */
static int match_address(struct dl_phdr_info *info, size_t size, void *context)
{
	struct search *search = context;

	(void)size;
	read_object(search->found, info);
	if (!sharedobject_contains(search->found, search->address))
		return 0;
	read_dynamic(search->found);
	return 1;
}

bool sharedobject_at(struct sharedobject *object, const void *address)
{
	struct search search = {.found = object, .address = address};

	return dl_iterate_phdr(match_address, &search) == 1;
}

const char *sharedobject_needed(const struct sharedobject *object, size_t *position)
{
	const ElfW(Dyn) *dynamic = object->dynamic;

	while (dynamic && object->strings && dynamic[*position].d_tag != DT_NULL) {
		const ElfW(Dyn) *entry = &dynamic[(*position)++];

		if (entry->d_tag == DT_NEEDED)
			return object->strings + entry->d_un.d_val;
	}
	return NULL;
}

bool sharedobject_contains(const struct sharedobject *object, const void *address)
{
	return (uintptr_t)address >= object->start && (uintptr_t)address < object->end;
}

bool sharedobject_ours(struct sharedobject *object)
{
	return sharedobject_at(object, __ehdr_start);
}

bool sharedobject_is_us(const struct sharedobject *object)
{
	return sharedobject_contains(object, __ehdr_start);
}

bool sharedobject_is_ours(const void *address)
{
	return (const char *)address >= __ehdr_start && (const char *)address < _end;
}

/*
 * The definitions are a chain; an index names its entry. The base version is the file's own name.
 */
static const char *version_name(const struct sharedobject *object, ElfW(Half) index)
{
	const ElfW(Verdef) *definition = object->definitions;

	while (definition && definition->vd_ndx != (index & ~HIDDEN_VERSION))
		definition =
			definition->vd_next
				? (const void *)((const char *)definition + definition->vd_next)
				: NULL;
	if (!definition || definition->vd_flags & VER_FLG_BASE)
		return NULL;
	return object->strings +
	       ((const ElfW(Verdaux) *)((const char *)definition + definition->vd_aux))->vda_name;
}

/* A hidden symbol ("curl_free@OLD") is not the default; only a request for its version finds it. */
static bool version_matches(const struct sharedobject *object, uint32_t index, const char *version)
{
	const char *name;
	ElfW(Half) exported;

	if (!object->versions || !object->definitions)
		return true;
	exported = ((const ElfW(Half) *)object->versions)[index];
	if (!version)
		return !(exported & HIDDEN_VERSION);
	name = version_name(object, exported);
	return name ? strcmp(name, version) == 0 : !(exported & HIDDEN_VERSION);
}

/*
 * Functions only: the address of an indirect one (STT_GNU_IFUNC) is that of the function that
 * chooses. Neither libcurl nor dlopen() has any.
 */
static bool symbol_matches(
	const struct sharedobject *object, uint32_t index, const char *name, const char *version)
{
	const ElfW(Sym) *symbol = (const ElfW(Sym) *)object->symbols + index;

	return symbol->st_shndx != SHN_UNDEF && symbol->st_value &&
	       (symbol->st_info & 0xf) == STT_FUNC &&
	       strcmp(object->strings + symbol->st_name, name) == 0 &&
	       version_matches(object, index, version);
}

/*
 * The header holds the number of buckets, the first symbol in the table, and the size of a Bloom
 * filter, which only saves time. A chain holds the hashes of its symbols; the lowest bit marks the
 * last.
 */
static uint32_t find_by_gnu_hash(
	const struct sharedobject *object, const char *name, const char *version)
{
	const uint32_t *header = object->gnu_hash;
	const uint32_t buckets = header[0], first = header[1], bloom_words = header[2];
	const uint32_t *bucket = (const uint32_t *)((const ElfW(Addr) *)(header + 4) + bloom_words);
	const uint32_t *chain = bucket + buckets;
	uint32_t hash = 5381, index;

	for (const char *c = name; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	index = buckets ? bucket[hash % buckets] : 0;
	if (index < first)
		return STN_UNDEF;

	for (;; index++) {
		uint32_t entry = chain[index - first];

		if ((entry | 1) == (hash | 1) && symbol_matches(object, index, name, version))
			return index;
		if (entry & 1)
			return STN_UNDEF;
	}
}

/*
 * An object may have this table alone. The header holds the sizes of both parts.
 */
static uint32_t find_by_sysv_hash(
	const struct sharedobject *object, const char *name, const char *version)
{
	const uint32_t *header = object->sysv_hash;
	const uint32_t *bucket = header + 2, *chain = bucket + header[0];
	uint32_t hash = 0, index;

	for (const char *c = name; *c; c++) {
		hash = (hash << 4) + (unsigned char)*c;
		hash = (hash ^ ((hash & 0xf0000000) >> 24)) & 0x0fffffff;
	}
	index = header[0] ? bucket[hash % header[0]] : STN_UNDEF;
	while (index != STN_UNDEF && !symbol_matches(object, index, name, version))
		index = chain[index];
	return index;
}

static uint32_t find_symbol(
	const struct sharedobject *object, const char *name, const char *version)
{
	if (!has_symbols(object))
		return STN_UNDEF;
	return object->gnu_hash ? find_by_gnu_hash(object, name, version)
				: find_by_sysv_hash(object, name, version);
}

void *sharedobject_symbol(const struct sharedobject *object, const char *name, const char *version)
{
	uint32_t index = find_symbol(object, name, version);

	if (index == STN_UNDEF)
		return NULL;
	return (void *)(object->base + ((const ElfW(Sym) *)object->symbols)[index].st_value);
}

const char *sharedobject_symbol_version(const struct sharedobject *object, const char *name)
{
	uint32_t index = find_symbol(object, name, NULL);

	if (index == STN_UNDEF || !object->versions)
		return NULL;
	return version_name(object, ((const ElfW(Half) *)object->versions)[index]);
}
