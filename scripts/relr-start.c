/* The first code of the shipped binary: applies packed relative relocations (DT_RELR), which
 * musl 1.2.3 does not know, and goes on to musl's own start. Packed, they take a sixtieth of the
 * room, a tenth of the whole binary. Format: the generic ABI's section on SHT_RELR.
 *
 * Nothing is relocated yet when this runs: it must not use a pointer that the linker stored. */
#include <stddef.h>

/* An entry of the dynamic section. elf.h is the C library's, which a cross-compiler may lack. */
struct dynamic {
    size_t tag;
    size_t value;
};

extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const struct dynamic _DYNAMIC[] __attribute__((visibility("hidden")));

enum { END = 0, RELR_SIZE = 35, RELR = 36, WORD_BITS = 8 * sizeof(size_t) };

__attribute__((visibility("hidden"), used)) void apply_packed_relocations(void)
{
    size_t base = (size_t)__ehdr_start;
    const size_t *entry = NULL;
    size_t size = 0;
#ifdef __x86_64__
    /* Its page is written to below: if the first access writes, too, that is one fault, not two. */
    __asm__ volatile("lock orb $0, %0" : "+m"(*(char *)_DYNAMIC));
#endif
    for (const struct dynamic *dynamic = _DYNAMIC; dynamic->tag != END; dynamic++) {
        if (dynamic->tag == RELR)
            entry = (const size_t *)(base + dynamic->value);
        if (dynamic->tag == RELR_SIZE)
            size = dynamic->value;
    }
    size_t *where = NULL;
    for (const size_t *end = entry + size / sizeof *entry; entry < end; entry++) {
        if ((*entry & 1) == 0) {
            /* An address: relocate it; the bitmaps that follow go on from there. */
            where = (size_t *)(base + *entry);
            *where++ += base;
            continue;
        }
        for (size_t bits = *entry >> 1; bits != 0; bits &= bits - 1)
            where[__builtin_ctzl(bits)] += base;
        where += WORD_BITS - 1;
    }
}

/* The kernel's stack and registers reach musl's start as they were; the stack is 16-byte aligned at entry. */
__asm__(".globl start_with_packed_relocations\n"
        ".hidden start_with_packed_relocations\n"
        ".type start_with_packed_relocations, %function\n"
        "start_with_packed_relocations:\n"
#if defined __x86_64__
        "    push %rdx\n"
        "    push %rdx\n"
        "    call apply_packed_relocations\n"
        "    pop %rdx\n"
        "    pop %rdx\n"
        "    jmp _start\n"
#elif defined __aarch64__
        "    stp x0, x30, [sp, #-16]!\n"
        "    bl apply_packed_relocations\n"
        "    ldp x0, x30, [sp], #16\n"
        "    b _start\n"
#else
#error no start for this processor
#endif
);
