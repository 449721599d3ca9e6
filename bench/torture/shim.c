/* Stands between a program and libc: lists the calls that change files under one folder, and at one of them makes the
   disk fail or the process die. Loaded by LD_PRELOAD, armed by `shim.py` through a block of shared memory, so that all
   processes that are forked from one share one count. Knows nothing of the program. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define PATH 4096

enum call { OPEN, WRITE, RENAME, FSYNC, UNLINK, RMDIR, MKDIR, TRUNCATE, LINK };
static const char *const NAMES[] = {"open", "write", "rename", "fsync", "unlink", "rmdir", "mkdir", "truncate", "link"};
enum kind { LIST, IO_ERROR, NO_SPACE, FULL, KILL_BEFORE, KILL_HALF, KILL_AFTER };

/* The same as `Control` in shim.py. */
struct control {
  int armed;
  int kind;
  int call;           /* of the point */
  int pausing;        /* whether to wait after each call that may have made a file visible */
  int paused;         /* the other side clears it */
  int tripped;        /* whether the point was reached */
  int full;           /* whether the disk is full from now on */
  int overflow;       /* whether the log is */
  long nth;           /* the point is the nth such call, from 1 */
  long seen;
  long logged;        /* bytes */
  long log_size;
  char root[PATH];
  char pattern[PATH]; /* of the point's file, relative to root */
  char log[];         /* lines: CALL <tab> FILE */
};

static struct control *control;

void torture_arm(struct control *block) { control = block; }

/* The file below root that a name means, or NULL. */
static const char *below(int folder, const char *name, char *buffer) {
  if (!control || !control->armed || !name) return NULL;
  if (name[0] == '/') {
    snprintf(buffer, PATH, "%s", name);
  } else {
    char link[64], base[PATH];
    if (folder == AT_FDCWD) {
      if (syscall(SYS_getcwd, base, sizeof base) < 0) return NULL;
    } else {
      snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
      ssize_t size = readlink(link, base, sizeof base - 1);
      if (size < 0) return NULL;
      base[size] = 0;
    }
    if (snprintf(buffer, PATH, "%s/%s", base, name) >= PATH) return NULL;
  }
  size_t size = strlen(control->root);
  if (strncmp(buffer, control->root, size) || buffer[size] != '/') return NULL;
  return buffer + size + 1;
}

static const char *below_fd(int file, char *buffer) {
  if (!control || !control->armed) return NULL;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t size = readlink(link, buffer, PATH - 1);
  if (size < 0) return NULL;
  buffer[size] = 0;
  return buffer[0] == '/' ? below(AT_FDCWD, strdupa(buffer), buffer) : NULL;
}

static void log_call(enum call call, const char *file) {
  char line[PATH + 16];
  int size = snprintf(line, sizeof line, "%s\t%s\n", NAMES[call], file);
  long at = __atomic_fetch_add(&control->logged, size, __ATOMIC_SEQ_CST);
  if (at + size > control->log_size) control->overflow = 1;
  else memcpy(control->log + at, line, size);
}

static int refuse(int error) {
  errno = error;
  return -1;
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* What is to happen at this call: LIST, which is nothing, or the kind of the point if it is the point. */
static enum kind reach(enum call call, const char *file) {
  int error = errno;
  log_call(call, file);
  enum kind found = LIST;
  if (control->kind != LIST && call == (enum call)control->call && !fnmatch(control->pattern, file, 0) &&
      __atomic_add_fetch(&control->seen, 1, __ATOMIC_SEQ_CST) == control->nth) {
    control->tripped = 1;
    found = control->kind;
  }
  if (found == KILL_BEFORE) die();
  errno = error;
  return found;
}

/* After a call that was let through. */
static void passed(enum kind found) {
  if (found == KILL_AFTER || found == KILL_HALF) die();
}

static void show(void) {
  if (!control->pausing) return;
  int error = errno;
  __atomic_store_n(&control->paused, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&control->paused, __ATOMIC_SEQ_CST)) usleep(100);
  errno = error;
}

/* On a full disk names can be changed and taken away, but nothing new fits. */
static int no_room(enum call call) {
  return control->full && (call == WRITE || call == MKDIR || call == LINK || call == OPEN);
}

/* The error that a call ends with, 0 if it is to be made. */
static int failing(enum kind found, enum call call) {
  if (found == FULL) control->full = 1;
  if (found == IO_ERROR) return EIO;
  if (found == NO_SPACE || no_room(call)) return ENOSPC;
  return 0;
}

#define REAL(name) \
  static typeof(&name) real; \
  if (!real) real = (typeof(&name))dlsym(RTLD_NEXT, #name)

/* A call that is made or not: the point's file, then the call itself. */
#define GUARD(call, path, expression) \
  char buffer[PATH]; \
  const char *file = path; \
  if (!file) return expression; \
  enum kind found = reach(call, file); \
  int error = failing(found, call); \
  if (error) return refuse(error); \
  int result = expression; \
  passed(found); \
  if (call == RENAME || call == UNLINK || call == RMDIR) show(); \
  return result

/* write */

static ssize_t half(size_t size) { return size / 2; }

/* What was asked to be written: all of it, half of it as the last that fits, or nothing. */
#define GUARD_WRITE(size, all, part) \
  char buffer[PATH]; \
  const char *file = below_fd(fd, buffer); \
  if (!file) return all; \
  int was_full = control->full; \
  enum kind found = reach(WRITE, file); \
  if ((found == FULL || found == KILL_HALF) && !was_full && half(size) > 0) { \
    ssize_t did = part; \
    control->full = found == FULL; \
    passed(found); \
    return did; \
  } \
  int error = failing(found, WRITE); \
  if (error) return refuse(error); \
  ssize_t result = all; \
  passed(found); \
  return result

ssize_t write(int fd, const void *data, size_t size) {
  REAL(write);
  GUARD_WRITE(size, real(fd, data, size), real(fd, data, half(size)));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
  REAL(pwrite);
  GUARD_WRITE(size, real(fd, data, size, at), real(fd, data, half(size), at));
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  REAL(pwrite64);
  GUARD_WRITE(size, real(fd, data, size, at), real(fd, data, half(size), at));
}

/* Of several pieces, half is half of the first that holds anything. */
static ssize_t write_some(int fd, const struct iovec *pieces, int count) {
  for (int i = 0; i < count; i++)
    if (pieces[i].iov_len > 1) return syscall(SYS_write, fd, pieces[i].iov_base, pieces[i].iov_len / 2);
  return 0;
}

static size_t total(const struct iovec *pieces, int count) {
  size_t sum = 0;
  for (int i = 0; i < count; i++) sum += pieces[i].iov_len;
  return sum;
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
  REAL(writev);
  GUARD_WRITE(total(pieces, count), real(fd, pieces, count), write_some(fd, pieces, count));
}

ssize_t sendfile(int fd, int from, off_t *at, size_t size);
ssize_t sendfile(int fd, int from, off_t *at, size_t size) {
  REAL(sendfile);
  GUARD_WRITE(size, real(fd, from, at, size), real(fd, from, at, half(size)));
}

ssize_t copy_file_range(int from, off64_t *at, int fd, off64_t *to, size_t size, unsigned flags) {
  REAL(copy_file_range);
  GUARD_WRITE(size, real(from, at, fd, to, size, flags), real(from, at, fd, to, half(size), flags));
}

/* open, where it may make or empty a file */

static int changes(int flags) { return (flags & (O_CREAT | O_TRUNC)) && (flags & O_ACCMODE) != O_RDONLY; }

/* On a full disk a file that is there can be opened. */
static int refused_open(enum kind found, int folder, const char *name) {
  if (found == FULL) control->full = 1;
  if (found == IO_ERROR) return EIO;
  if (found == NO_SPACE) return ENOSPC;
  struct stat there;
  return control->full && fstatat(folder, name, &there, 0) < 0 ? ENOSPC : 0;
}

#define GUARD_OPEN(folder, name, call) \
  char buffer[PATH]; \
  const char *file = below(folder, name, buffer); \
  if (!file) return call; \
  enum kind found = reach(OPEN, file); \
  int error = refused_open(found, folder, name); \
  if (error) return FAILED(error); \
  __auto_type result = call; \
  passed(found); \
  return result

#define MODE(flags) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | O_TMPFILE)) { \
    va_list rest; \
    va_start(rest, flags); \
    mode = va_arg(rest, mode_t); \
    va_end(rest); \
  }

#define FAILED(error) refuse(error)
#define OPENER(name) \
  int name(const char *path, int flags, ...) { \
    REAL(name); \
    MODE(flags) \
    if (!changes(flags)) return real(path, flags, mode); \
    GUARD_OPEN(AT_FDCWD, path, real(path, flags, mode)); \
  }
#define OPENER_AT(name) \
  int name(int folder, const char *path, int flags, ...) { \
    REAL(name); \
    MODE(flags) \
    if (!changes(flags)) return real(folder, path, flags, mode); \
    GUARD_OPEN(folder, path, real(folder, path, flags, mode)); \
  }
OPENER(open)
OPENER(open64)
OPENER_AT(openat)
OPENER_AT(openat64)
#undef FAILED

/* C++ streams open so, but write by themselves. */
#define FAILED(error) (refuse(error), (FILE *)NULL)
#define FILE_OPENER(name) \
  FILE *name(const char *path, const char *mode) { \
    REAL(name); \
    if (mode[0] == 'r' ) return real(path, mode); \
    GUARD_OPEN(AT_FDCWD, path, real(path, mode)); \
  }
FILE_OPENER(fopen)
FILE_OPENER(fopen64)
#undef FAILED

/* the others */

int rename(const char *from, const char *to) {
  REAL(rename);
  GUARD(RENAME, below(AT_FDCWD, to, buffer), real(from, to));
}

int renameat(int a, const char *from, int b, const char *to) {
  REAL(renameat);
  GUARD(RENAME, below(b, to, buffer), real(a, from, b, to));
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
  REAL(renameat2);
  GUARD(RENAME, below(b, to, buffer), real(a, from, b, to, flags));
}

int fsync(int fd) {
  REAL(fsync);
  GUARD(FSYNC, below_fd(fd, buffer), real(fd));
}

int fdatasync(int fd) {
  REAL(fdatasync);
  GUARD(FSYNC, below_fd(fd, buffer), real(fd));
}

int unlink(const char *path) {
  REAL(unlink);
  GUARD(UNLINK, below(AT_FDCWD, path, buffer), real(path));
}

int remove(const char *path) {
  REAL(remove);
  GUARD(UNLINK, below(AT_FDCWD, path, buffer), real(path));
}

int unlinkat(int folder, const char *path, int flags) {
  REAL(unlinkat);
  enum call call = flags & AT_REMOVEDIR ? RMDIR : UNLINK;
  GUARD(call, below(folder, path, buffer), real(folder, path, flags));
}

int rmdir(const char *path) {
  REAL(rmdir);
  GUARD(RMDIR, below(AT_FDCWD, path, buffer), real(path));
}

int mkdir(const char *path, mode_t mode) {
  REAL(mkdir);
  GUARD(MKDIR, below(AT_FDCWD, path, buffer), real(path, mode));
}

int mkdirat(int folder, const char *path, mode_t mode) {
  REAL(mkdirat);
  GUARD(MKDIR, below(folder, path, buffer), real(folder, path, mode));
}

int ftruncate(int fd, off_t size) {
  REAL(ftruncate);
  GUARD(TRUNCATE, below_fd(fd, buffer), real(fd, size));
}

int ftruncate64(int fd, off64_t size) {
  REAL(ftruncate64);
  GUARD(TRUNCATE, below_fd(fd, buffer), real(fd, size));
}

int truncate(const char *path, off_t size) {
  REAL(truncate);
  GUARD(TRUNCATE, below(AT_FDCWD, path, buffer), real(path, size));
}

int link(const char *from, const char *to) {
  REAL(link);
  GUARD(LINK, below(AT_FDCWD, to, buffer), real(from, to));
}

int linkat(int a, const char *from, int b, const char *to, int flags) {
  REAL(linkat);
  GUARD(LINK, below(b, to, buffer), real(a, from, b, to, flags));
}

int symlink(const char *what, const char *to) {
  REAL(symlink);
  GUARD(LINK, below(AT_FDCWD, to, buffer), real(what, to));
}
