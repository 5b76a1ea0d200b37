/**
 * System calls no MCP server needs, by what they would give it, with their numbers. A program that is taken over inside a
 * sandbox attacks the kernel next: what it cannot call has no holes for it.
 */

/** Processors there is a table for, as Node calls them. */
export type FilteredArchitecture = 'x64' | 'arm64'

interface SystemCall {
  /** Undefined where the processor has no such call. */
  readonly x64?: number
  readonly arm64?: number
}

/** Number by processor; most calls of the last years have the same on both. */
const both = (x64: number, arm64 = x64): { readonly x64: number; readonly arm64: number } => ({ x64, arm64 })

/** Refused with EPERM, whatever their arguments. */
export const deniedCalls: Readonly<Record<string, SystemCall>> = {
  // Keys of the kernel: not in any namespace.
  add_key: both(248, 217),
  request_key: both(249, 218),
  keyctl: both(250, 219),
  // Programs in the kernel, its counters, and page faults held open for races.
  bpf: both(321, 280),
  perf_event_open: both(298, 241),
  userfaultfd: both(323, 282),
  io_uring_setup: both(425),
  io_uring_enter: both(426),
  io_uring_register: both(427),
  fanotify_init: both(300, 262),
  lookup_dcookie: both(212, 18),
  syslog: both(103, 116),
  // Namespaces and mounts: another view of the machine than the one it was given.
  unshare: both(272, 97),
  setns: both(308, 268),
  mount: both(165, 40),
  umount2: both(166, 39),
  pivot_root: both(155, 41),
  chroot: both(161, 51),
  open_tree: both(428),
  open_tree_attr: both(467),
  move_mount: both(429),
  fsopen: both(430),
  fsconfig: both(431),
  fsmount: both(432),
  fspick: both(433),
  mount_setattr: both(442),
  open_by_handle_at: both(304, 265),
  quotactl: both(179, 60),
  quotactl_fd: both(443),
  // Other processes from within.
  ptrace: both(101, 117),
  process_vm_readv: both(310, 270),
  process_vm_writev: both(311, 271),
  process_madvise: both(440),
  pidfd_getfd: both(438),
  kcmp: both(312, 272),
  move_pages: both(279, 239),
  migrate_pages: both(256, 238),
  // The machine as a whole.
  kexec_load: both(246, 104),
  kexec_file_load: both(320, 294),
  init_module: both(175, 105),
  finit_module: both(313, 273),
  delete_module: both(176, 106),
  acct: both(163, 89),
  swapon: both(167, 224),
  swapoff: both(168, 225),
  reboot: both(169, 142),
  settimeofday: both(164, 170),
  clock_settime: both(227, 112),
  sethostname: both(170, 161),
  setdomainname: both(171, 162),
  vhangup: both(153, 58),
  nfsservctl: both(180, 42),
  // Memory that not even the gateway's limits can look into.
  memfd_secret: both(447),
  // Left from other times.
  iopl: { x64: 172 },
  ioperm: { x64: 173 },
  modify_ldt: { x64: 154 },
  uselib: { x64: 134 },
  sysfs: { x64: 139 },
  _sysctl: { x64: 156 },
  create_module: { x64: 174 },
  get_kernel_syms: { x64: 177 },
  query_module: { x64: 178 },
}

/** Memory that is held without being mapped: only a cgroup counts it. Programs that want it do without, so they are told there is none. */
export const uncountedCalls: Readonly<Record<string, SystemCall>> = {
  memfd_create: both(319, 279),
  shmget: both(29, 194),
}

/** Calls whose arguments decide. */
export const weighedCalls = {
  clone: both(56, 220),
  clone3: both(435),
  socket: both(41, 198),
  socketpair: both(53, 199),
  ioctl: both(16, 29),
  personality: both(135, 92),
} as const satisfies Readonly<Record<string, SystemCall>>

/** What a browser needs for the smaller sandbox it puts its own pages into. */
export const browserCalls: readonly string[] = ['unshare', 'chroot']
