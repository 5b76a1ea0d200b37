/**
 * The system call filter of a sandbox: a classic BPF program the kernel runs before every call (seccomp, mode filter). It
 * allows whatever is not named here; it must never let a call through under another number than the ones it looks at.
 */
import { endianness } from 'node:os'
import { browserCalls, deniedCalls, uncountedCalls, weighedCalls, type FilteredArchitecture } from './seccomp-calls.ts'

export interface FilterOptions {
  readonly architecture: FilteredArchitecture
  /** Leaves a browser what its own sandbox is made with: new namespaces of users, processes and networks. */
  readonly browser: boolean
  /** Whether a cgroup counts all memory; without one, memory that nobody maps is refused. */
  readonly memoryByCgroup: boolean
}

/** One instruction: operation, how far to jump when it holds and when not, and its operand. */
type Instruction = readonly [code: number, whenTrue: number, whenFalse: number, operand: number]

// linux/filter.h and linux/seccomp.h
const loadWord = 0x20
const jumpIfEqual = 0x15
const jumpIfAtLeast = 0x35
const jumpIfAnySet = 0x45
const and = 0x54
const finish = 0x06
const allow = 0x7fff_0000
const killProcess = 0x8000_0000
const fail = (errno: number): number => 0x0005_0000 | errno
const EPERM = 1
const ENOSYS = 38
const EPROTONOSUPPORT = 93
const EAFNOSUPPORT = 97

/** Where the kernel puts what it tells the filter. Arguments are 64 bits wide; the kernel reads no more than the lower half of those looked at here. */
const numberAt = 0
const architectureAt = 4
const argumentAt = (index: number): number => 16 + 8 * index

/** AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64. */
const architectures: Readonly<Record<FilteredArchitecture, number>> = { x64: 0xc000_003e, arm64: 0xc000_00b7 }
/** Numbers from here on are calls of the x32 ABI, on the same processor. */
const x32 = 0x4000_0000

const newNamespaces = {
  mount: 0x0002_0000,
  cgroup: 0x0200_0000,
  host: 0x0400_0000,
  ipc: 0x0800_0000,
  user: 0x1000_0000,
  process: 0x2000_0000,
  network: 0x4000_0000,
}
const UNIX = 1
const INET = 2
const INET6 = 10
const NETLINK = 16
const typeMask = 0xf
const RAW = 3
const PACKET = 10
const NETLINK_ROUTE = 0
const TIOCSTI = 0x5412
const TIOCLINUX = 0x541c
/** Plain Linux, its 32-bit and uname variants, and the question which one it is. */
const personalities = [0, 0x0008, 0x2_0000, 0x2_0008, 0xffff_ffff]

/** The processor's name when there is a filter for it. */
export function filteredArchitecture(architecture: string): FilteredArchitecture | undefined {
  return architecture === 'x64' || architecture === 'arm64' ? architecture : undefined
}

/** The program as the kernel reads it: `struct sock_filter`, eight bytes each, in this machine's byte order. */
export function seccompFilter(options: FilterOptions): Buffer {
  const program = instructionsOf(options)
  const bytes = Buffer.alloc(program.length * 8)
  const isLittle = endianness() === 'LE'
  for (const [index, [code, whenTrue, whenFalse, operand]] of program.entries()) {
    const at = index * 8
    if (isLittle) bytes.writeUInt16LE(code, at)
    else bytes.writeUInt16BE(code, at)
    bytes.writeUInt8(whenTrue, at + 2)
    bytes.writeUInt8(whenFalse, at + 3)
    if (isLittle) bytes.writeUInt32LE(operand, at + 4)
    else bytes.writeUInt32BE(operand, at + 4)
  }
  return bytes
}

function instructionsOf({ architecture, browser, memoryByCgroup }: FilterOptions): Instruction[] {
  const refusals = Object.entries(deniedCalls).filter(([name]) => !(browser && browserCalls.includes(name)))
  const unknown = memoryByCgroup ? [] : Object.entries(uncountedCalls)
  const always = (calls: typeof refusals, errno: number) =>
    calls.flatMap(([, call]) => whenEqual(call[architecture], [[finish, 0, 0, fail(errno)]]))
  const weighed = (name: keyof typeof weighedCalls, body: readonly Instruction[]) => whenEqual(weighedCalls[name][architecture], body)
  return [
    // Another ABI has other numbers: what comes through it cannot be judged by these.
    [loadWord, 0, 0, architectureAt],
    [jumpIfEqual, 1, 0, architectures[architecture]],
    [finish, 0, 0, killProcess],
    [loadWord, 0, 0, numberAt],
    ...(architecture === 'x64'
      ? ([
          [jumpIfAtLeast, 0, 1, x32],
          [finish, 0, 0, killProcess],
        ] as const)
      : []),
    ...always(refusals, EPERM),
    ...always(unknown, ENOSYS),
    // Its flags lie in memory, where they can change after a look. Without it the C library takes `clone`.
    ...weighed('clone3', [[finish, 0, 0, fail(ENOSYS)]]),
    ...weighed('clone', cloning(browser)),
    ...weighed('socket', socketing()),
    ...weighed('socketpair', [...unless(0, [UNIX], EAFNOSUPPORT), [finish, 0, 0, allow]]),
    ...weighed('ioctl', [...when(1, [TIOCSTI, TIOCLINUX], EPERM), [finish, 0, 0, allow]]),
    ...weighed('personality', [...unless(0, personalities, EPERM), [finish, 0, 0, allow]]),
    [finish, 0, 0, allow],
  ]
}

function cloning(browser: boolean): Instruction[] {
  const { user, process, network, ...others } = newNamespaces
  const refused = Object.values(browser ? others : { user, process, network, ...others }).reduce((all, flag) => all + flag, 0)
  return [
    [loadWord, 0, 0, argumentAt(0)],
    [jumpIfAnySet, 0, 1, refused],
    [finish, 0, 0, fail(EPERM)],
    [finish, 0, 0, allow],
  ]
}

/** Names of the host and the network it is on are asked over netlink; frames, other protocols and virtual machines over what is left out. */
function socketing(): Instruction[] {
  const raw: readonly Instruction[] = [
    [loadWord, 0, 0, argumentAt(1)],
    [and, 0, 0, typeMask],
    [jumpIfEqual, 1, 0, RAW],
    [jumpIfEqual, 0, 1, PACKET],
    [finish, 0, 0, fail(EPERM)],
    [finish, 0, 0, allow],
  ]
  return [
    ...unless(0, [UNIX, INET, INET6, NETLINK], EAFNOSUPPORT),
    ...whenEqual(INET, raw),
    ...whenEqual(INET6, raw),
    ...whenEqual(NETLINK, [...unless(2, [NETLINK_ROUTE], EPROTONOSUPPORT), [finish, 0, 0, allow]]),
    [finish, 0, 0, allow],
  ]
}

/** The body, which must finish, when the word that was loaded last is this one; nothing where there is no such word. */
function whenEqual(word: number | undefined, body: readonly Instruction[]): Instruction[] {
  return word === undefined ? [] : [[jumpIfEqual, 0, body.length, word], ...body]
}

/** Fails with the errno when an argument is one of these. */
function when(argument: number, values: readonly number[], errno: number): Instruction[] {
  return [[loadWord, 0, 0, argumentAt(argument)], ...values.flatMap((value) => whenEqual(value, [[finish, 0, 0, fail(errno)]]))]
}

/** Fails with the errno when an argument is none of these. */
function unless(argument: number, values: readonly number[], errno: number): Instruction[] {
  return [
    [loadWord, 0, 0, argumentAt(argument)],
    ...values.map((value, index): Instruction => [jumpIfEqual, values.length - index, 0, value]),
    [finish, 0, 0, fail(errno)],
  ]
}
