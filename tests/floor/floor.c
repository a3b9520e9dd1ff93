/* The floor of each row of scripts/bench: a program without a C library that makes only the system
 * calls which the row needs. -DROW_... chooses the row; argv has what differs from run to run.
 * A call that fails ends the program with its errno, so that a floor that does less is noticed. */
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/unistd.h>

enum { NO_SUID_DEV_EXEC = MS_NOSUID | MS_NODEV | MS_NOEXEC, CHILD_SIGNAL = 17 };

#if defined(__x86_64__)
static long call6(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call start\n");
#elif defined(__aarch64__)
static long call6(long number, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}
__asm__(".globl _start\n_start: mov x0, sp\n bl start\n");
#else
#error "no system calls for this processor"
#endif

static void __attribute__((noreturn)) leave(long status)
{
    for (;;)
        call6(__NR_exit_group, status, 0, 0, 0, 0, 0);
}

/* A call that must succeed. */
static long must(long number, long a, long b, long c, long d, long e)
{
    long result = call6(number, a, b, c, d, e, 0);
    if (result < 0)
        leave(-result);
    return result;
}

#define TEXT(text) ((long)(text))
#define CALL(name, ...) CALL_(name, __VA_ARGS__, 0, 0, 0, 0, 0)
#define CALL_(name, a, b, c, d, e, ...) must(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))

static void __attribute__((noreturn, unused)) run(char **argv, char **environment)
{
    CALL(execve, argv[0], argv, environment);
    leave(127);
}

/* fork(2), after which the parent waits and ends as its child does. */
static void __attribute__((unused)) become_child(void)
{
    int status = 0;
    long child = CALL(clone, CHILD_SIGNAL);
    if (child == 0)
        return;
    CALL(wait4, child, &status);
    leave(status >> 8);
}

static void __attribute__((unused)) write_file(const char *path, const char *text, long length)
{
    CALL(write, CALL(openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC), text, length);
}

static unsigned long __attribute__((unused)) length_of(const char *text)
{
    unsigned long length = 0;
    while (text[length])
        length++;
    return length;
}

/* Reads a file to its end and returns what of it is in the buffer at last. */
static long __attribute__((unused)) read_file(const char *path, char *buffer, long size, int copy_to)
{
    long file = CALL(openat, AT_FDCWD, path, O_RDONLY), last = 0;
    for (;;) {
        long got = CALL(read, file, buffer, size);
        if (got == 0)
            return last;
        if (copy_to >= 0)
            CALL(write, copy_to, buffer, got);
        last = got;
    }
}

#if defined(ROW_EMPTY)
#define MAIN(argv, environment) leave(0)

#elif defined(ROW_UNSHARE) /* PROGRAM */
#define MAIN(argv, environment) run(argv + 1, environment)

#elif defined(ROW_UNSHARE_MOUNT) /* PROGRAM */
static void MAIN(char **argv, char **environment)
{
    CALL(unshare, CLONE_NEWNS);
    CALL(mount, "none", "/", 0, MS_REC | MS_PRIVATE);
    run(argv + 1, environment);
}

#elif defined(ROW_UNSHARE_ROOT) /* PROGRAM, called as root */
static void MAIN(char **argv, char **environment)
{
    CALL(unshare, CLONE_NEWUSER);
    write_file("/proc/self/uid_map", "0 0 1", 5);
    write_file("/proc/self/setgroups", "deny", 4);
    write_file("/proc/self/gid_map", "0 0 1", 5);
    run(argv + 1, environment);
}

#elif defined(ROW_TUTORIAL) /* ROOT ROOT/proc PROGRAM: what takes ours two programs, in one */
static void MAIN(char **argv, char **environment)
{
    CALL(unshare, CLONE_NEWNS | CLONE_NEWPID);
    become_child();
    CALL(mount, "none", "/", 0, MS_REC | MS_PRIVATE);
    CALL(mount, "proc", argv[2], "proc", NO_SUID_DEV_EXEC);
    CALL(chroot, argv[1]);
    CALL(chdir, "/");
    run(argv + 3, environment);
}

#elif defined(ROW_NSENTER) /* PID PROGRAM: a target with all namespaces of its own but the user's */
static void MAIN(char **argv, char **environment)
{
    long pid = 0;
    for (char *digit = argv[1]; *digit; digit++)
        pid = pid * 10 + *digit - '0';
    long target = CALL(pidfd_open, pid);
    CALL(setns, target,
         CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWTIME);
    become_child();
    run(argv + 2, environment);
}

#elif defined(ROW_CHROOT) /* ROOT PROGRAM */
static void MAIN(char **argv, char **environment)
{
    CALL(chroot, argv[1]);
    CALL(chdir, "/");
    run(argv + 2, environment);
}

#elif defined(ROW_BIND_READ_ONLY) /* FROM TO */
static void MAIN(char **argv, char **environment)
{
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    long tree = CALL(open_tree, AT_FDCWD, argv[1], OPEN_TREE_CLONE);
    CALL(mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
    CALL(move_mount, tree, "", AT_FDCWD, argv[2], MOVE_MOUNT_F_EMPTY_PATH);
}

#elif defined(ROW_UMOUNT) /* DIR */
static void MAIN(char **argv, char **environment)
{
    CALL(umount2, argv[1], 0);
}

#elif defined(ROW_UMOUNT_TREE) /* DIR COUNT: there are mounts on DIR/0 to DIR/COUNT-1, and on DIR */
static int is_same(const char *one, const char *other)
{
    while (*one && *one == *other)
        one++, other++;
    return *one == *other;
}
static void MAIN(char **argv, char **environment)
{
    /* A number in decimal digits, ended by NUL. */
    char digits[8] = {0}, *const last = digits + sizeof digits - 2, *first = last;
    *first = '0';
    CALL(chdir, argv[1]);
    while (!is_same(first, argv[2])) {
        CALL(umount2, first, 0);
        char *digit = last;
        while (digit >= first && *digit == '9')
            *digit-- = '0';
        if (digit < first)
            *(first = digit) = '0';
        ++*digit;
    }
    CALL(chdir, "/");
    CALL(umount2, argv[1], 0);
}

#elif defined(ROW_MOUNTPOINT) /* DIRECTORY */
static void MAIN(char **argv, char **environment)
{
    struct statx about;
    CALL(statx, AT_FDCWD, argv[1], AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_MNT_ID, &about);
    if ((about.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0)
        leave(32);
}

#elif defined(ROW_SETCAP) || defined(ROW_GETCAP) /* FILE, and that it has cap_net_bind_service=ep */
#define NAME "security.capability"
#define VALUE {.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE, .data = {{1 << CAP_NET_BIND_SERVICE, 0}, {0, 0}}}
#ifdef ROW_SETCAP
static void MAIN(char **argv, char **environment)
{
    struct vfs_cap_data value = VALUE;
    CALL(setxattr, argv[1], NAME, &value, sizeof value);
}
#else
static void MAIN(char **argv, char **environment)
{
    static char line[4096];
    static const char text[] = " cap_net_bind_service=ep\n";
    struct vfs_cap_data expected = VALUE, value;
    if (CALL(getxattr, argv[1], NAME, &value, sizeof value) != sizeof value || value.magic_etc != expected.magic_etc ||
        value.data[0].permitted != expected.data[0].permitted)
        leave(1);
    long length = length_of(argv[1]);
    for (long index = 0; index < length; index++)
        line[index] = argv[1][index];
    for (unsigned long index = 0; index < sizeof text - 1; index++)
        line[length++] = text[index];
    CALL(write, 1, line, length);
}
#endif

#elif defined(ROW_GETCAP_TREE) /* DIR: reads the attribute of each file below it */
struct entry {
    unsigned long inode;
    long offset;
    unsigned short size;
    unsigned char type;
    char name[];
};
static void walk(long parent, const char *name)
{
    enum { DIRECTORY = 4, FILE = 8 };
    char buffer[8192], value[64];
    long directory = CALL(openat, parent, name, O_RDONLY | O_DIRECTORY), got;
    CALL(fchdir, directory);
    while ((got = CALL(getdents64, directory, buffer, sizeof buffer)) > 0) {
        for (char *at = buffer; at < buffer + got; at += ((struct entry *)at)->size) {
            struct entry *entry = (struct entry *)at;
            if (entry->type == FILE) {
                long length = call6(__NR_lgetxattr, TEXT(entry->name), TEXT("security.capability"), TEXT(value),
                                    sizeof value, 0, 0);
                if (length > 0)
                    CALL(write, 1, entry->name, length_of(entry->name));
            } else if (entry->type == DIRECTORY && entry->name[0] != '.') {
                walk(directory, entry->name);
                CALL(fchdir, directory);
            }
        }
    }
    CALL(close, directory);
}
static void MAIN(char **argv, char **environment)
{
    walk(AT_FDCWD, argv[1]);
}

#elif defined(ROW_MOUNT_LIST)
static char buffer[1 << 16];
#define MAIN(argv, environment) read_file("/proc/self/mountinfo", buffer, sizeof buffer, 1)

#elif defined(ROW_CAPSH_PRINT)
static char buffer[1 << 12];
static void MAIN(char **argv, char **environment)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    CALL(capget, &header, sets);
    /* The bounding set to where the kernel knows no more. Nothing is ambient that is not inheritable. */
    for (long capability = 0; call6(__NR_prctl, PR_CAPBSET_READ, capability, 0, 0, 0, 0) >= 0; capability++)
        ;
    CALL(prctl, PR_GET_SECUREBITS);
    CALL(prctl, PR_GET_NO_NEW_PRIVS);
    CALL(getuid, 0);
    CALL(geteuid, 0);
    CALL(getgid, 0);
    CALL(getgroups, sizeof buffer / sizeof(unsigned), buffer);
    /* The names of the ids. */
    read_file("/etc/passwd", buffer, sizeof buffer, -1);
    read_file("/etc/group", buffer, sizeof buffer, -1);
    CALL(write, 1, buffer, 1024);
}
#else
#error "no such row"
#endif

void __attribute__((noreturn, used)) start(long *stack)
{
    char **argv = (char **)stack + 1;
    char **environment __attribute__((unused)) = argv + stack[0] + 1;
    (void)argv;
    MAIN(argv, environment);
    leave(0);
}
