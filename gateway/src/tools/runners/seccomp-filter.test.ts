/** What the filter says to a system call: read like the kernel reads it for both processors, and asked of the kernel for this one. */
import { afterAll, describe, expect, test } from 'vitest'
import { createBubblewrapRunner } from './bubblewrap.ts'
import { browserCalls, deniedCalls, uncountedCalls, weighedCalls, type FilteredArchitecture } from './seccomp-calls.ts'
import { filteredArchitecture, seccompFilter } from './seccomp-filter.ts'
import { removeFolders, runProgram } from './sandbox.fixture.ts'

afterAll(removeFolders)

const audit = { x64: 0xc000003e, arm64: 0xc00000b7, i386: 0x40000003, arm: 0x40000028 }

interface Call {
  readonly number: number
  readonly architecture?: number
  readonly args?: readonly number[]
}

/** Runs a classic BPF program like the kernel does, and names what it came to. */
function verdict(program: Buffer, { number, architecture = 0, args = [] }: Call): string {
  const data = Buffer.alloc(64)
  data.writeInt32LE(number | 0, 0)
  data.writeUInt32LE(architecture, 4)
  args.forEach((value, index) => data.writeBigUInt64LE(BigInt(value), 16 + 8 * index))
  let accumulator = 0
  for (let at = 0; at < program.length / 8; at += 1) {
    const [code, operand] = [program.readUInt16LE(at * 8), program.readUInt32LE(at * 8 + 4)]
    const jump = (holds: boolean): number => program.readUInt8(at * 8 + (holds ? 2 : 3))
    if (code === 0x20) accumulator = data.readUInt32LE(operand)
    else if (code === 0x54) accumulator = (accumulator & operand) >>> 0
    else if (code === 0x15) at += jump(accumulator === operand)
    else if (code === 0x35) at += jump(accumulator >= operand)
    else if (code === 0x45) at += jump((accumulator & operand) !== 0)
    else if (code === 0x06) return operand === 0x7fff0000 ? 'allowed' : operand === 0x80000000 ? 'killed' : `errno ${operand & 0xffff}`
    else throw new Error(`no such instruction: ${code}`)
  }
  throw new Error('the program has no end')
}

const EPERM = 'errno 1'
const ENOSYS = 'errno 38'

describe.each<FilteredArchitecture>(['x64', 'arm64'])('on %s', (architecture) => {
  const strict = seccompFilter({ architecture, browser: false, memoryByCgroup: true })
  const says = (number: number, args: readonly number[] = [], program = strict): string =>
    verdict(program, { number, args, architecture: audit[architecture] })
  const call = (name: keyof typeof weighedCalls): number => weighedCalls[name][architecture]

  test('what no server needs is refused, whatever its arguments, and nothing else but what is weighed', () => {
    const refused = Array.from({ length: 500 }, (_, number) => number).filter((number) => says(number) === EPERM)
    const listed = Object.values(deniedCalls).flatMap((one) => one[architecture] ?? [])
    expect(refused).toEqual([...listed].sort((a, b) => a - b))
    expect(refused.length).toBeGreaterThan(50)
    for (const number of listed) expect(says(number, [1, 2, 3])).toBe(EPERM)
  })

  test('another ABI of the same processor is killed', () => {
    const foreign = [...Object.values(audit), 0].filter((value) => value !== audit[architecture])
    for (const value of foreign) expect(verdict(strict, { number: 1, architecture: value })).toBe('killed')
    const x32 = [0x40000000, 0x40000000 + 39, -1].map((number) => says(number))
    expect(x32).toEqual(architecture === 'x64' ? ['killed', 'killed', 'killed'] : ['allowed', 'allowed', 'allowed'])
  })

  test('threads and processes are made, new namespaces are not', () => {
    expect(says(call('clone'), [0x3d0f00])).toBe('allowed')
    expect(says(call('clone'), [17])).toBe('allowed')
    for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000])
      expect(says(call('clone'), [flag | 17]), flag.toString(16)).toBe(EPERM)
    expect(says(call('clone3'))).toBe(ENOSYS)
  })

  test('a browser makes namespaces of users, processes and networks, no others, and mounts nothing', () => {
    const browser = seccompFilter({ architecture, browser: true, memoryByCgroup: true })
    for (const flag of [0x10000000, 0x20000000, 0x40000000, 0x70000000]) expect(says(call('clone'), [flag | 17], browser)).toBe('allowed')
    for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000]) expect(says(call('clone'), [flag | 17], browser)).toBe(EPERM)
    for (const [name, one] of Object.entries(deniedCalls)) {
      const number = one[architecture]
      if (number !== undefined) expect(says(number, [], browser), name).toBe(browserCalls.includes(name) ? 'allowed' : EPERM)
    }
  })

  test.each([
    ['a stream between programs', [1, 1], 'allowed'],
    ['TCP', [2, 1 | 0o2004000, 6], 'allowed'],
    ['UDP over IPv6', [10, 2, 0], 'allowed'],
    ['addresses of this machine', [16, 3 | 0o2000000, 0], 'allowed'],
    ['another netlink', [16, 3, 12], 'errno 93'],
    ['raw IP', [2, 3, 1], EPERM],
    ['raw IP that closes on exec', [2, 3 | 0o2000000, 255], EPERM],
    ['raw IPv6', [10, 3, 58], EPERM],
    ['the old way to packets', [2, 10, 3], EPERM],
    ['packets', [17, 3, 3], 'errno 97'],
    ['the host of a virtual machine', [40, 1, 0], 'errno 97'],
    ['the cryptography of the kernel', [38, 5, 0], 'errno 97'],
    ['no family', [0, 1, 0], 'errno 97'],
  ])('a socket for %s', (_what, args, expected) => {
    expect(says(call('socket'), args)).toBe(expected)
  })

  test('a pair of sockets is one of this machine', () => {
    expect(says(call('socketpair'), [1, 1, 0])).toBe('allowed')
    expect(says(call('socketpair'), [30, 1, 0])).toBe('errno 97')
  })

  test('nobody types into a terminal for its user; the rest of ioctl is as it was', () => {
    for (const command of [0x5412, 0x541c]) expect(says(call('ioctl'), [0, command])).toBe(EPERM)
    // The kernel looks at the lower half only.
    expect(says(call('ioctl'), [0, 0x5412 + 2 ** 32])).toBe(EPERM)
    expect(says(call('ioctl'), [0x5412, 0x5401])).toBe('allowed')
  })

  test('a program stays the Linux it is', () => {
    expect([0, 8, 0x20000, 0x20008, 0xffffffff].map((persona) => says(call('personality'), [persona]))).toEqual(Array(5).fill('allowed'))
    expect(says(call('personality'), [0x0040000])).toBe(EPERM)
  })

  test('memory nobody maps is there only where a cgroup counts it', () => {
    const watched = seccompFilter({ architecture, browser: false, memoryByCgroup: false })
    for (const one of Object.values(uncountedCalls)) {
      expect(says(one[architecture] ?? -1)).toBe('allowed')
      expect(says(one[architecture] ?? -1, [], watched)).toBe(ENOSYS)
    }
  })
})

test('there is no filter for a processor whose numbers nobody wrote down', () => {
  expect(filteredArchitecture('riscv64')).toBeUndefined()
})

const here = filteredArchitecture(process.arch) ?? 'x64'
const runner = createBubblewrapRunner({ nodePath: process.execPath })
const missing = await runner.available()

/** Makes each call with arguments that mean nothing, and prints the names whose errno is not the one that is expected. */
const python = `
import ctypes, errno, json, sys
library = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    ctypes.set_errno(0)
    result = library.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in args])
    return 'done' if result >= 0 else errno.errorcode[ctypes.get_errno()]
`
const run = async (code: string, more: Record<string, unknown> = {}): Promise<{ out: string; err: string; ended: string }> =>
  runProgram(runner, ['/usr/bin/python3', '-c', python + code], more)

describe.skipIf(missing !== undefined)('in a sandbox', () => {
  test('the kernel refuses every call of the table', async () => {
    const numbers = Object.fromEntries(
      Object.entries(deniedCalls).flatMap(([name, one]) => (one[here] === undefined ? [] : [[name, one[here]]])),
    )
    const { out, err } = await run(`
for name, number in json.loads('${JSON.stringify(numbers)}').items():
    got = call(number, -1, -1, -1, -1, -1, -1)
    if got != 'EPERM': print(name, got)
print('asked')`)
    expect({ out, err }).toEqual({ out: 'asked\n', err: '' })
  })

  test('what would have worked does not: a key, a ring, a fault, a namespace, another ABI of flags, frames, a virtual machine', async () => {
    const { x64: clone, arm64 } = weighedCalls.clone
    const { out } = await run(`
import os, socket
def attempt(run):
    try:
        run(); return 'done'
    except OSError as error: return errno.errorcode[error.errno]
name = ctypes.create_string_buffer(b'user'); page = ctypes.create_string_buffer(120)
child = os.fork()
if child == 0:
    import signal; signal.pause()
class iovec(ctypes.Structure): _fields_ = [('base', ctypes.c_void_p), ('length', ctypes.c_size_t)]
vector = iovec(ctypes.addressof(page), 8)
print(json.dumps([
    call(${deniedCalls['add_key']?.[here]}, ctypes.addressof(name), ctypes.addressof(name), ctypes.addressof(name), 4, -4),
    call(${deniedCalls['io_uring_setup']?.[here]}, 8, ctypes.addressof(page)),
    call(${deniedCalls['userfaultfd']?.[here]}, 1),
    call(${deniedCalls['unshare']?.[here]}, 0x10000000),
    call(${here === 'x64' ? clone : arm64}, 0x10000000 | 17, 0, 0, 0, 0),
    call(${weighedCalls.clone3[here]}, ctypes.addressof(page), 88),
    call(${deniedCalls['process_vm_readv']?.[here]}, child, ctypes.addressof(vector), 1, ctypes.addressof(vector), 1, 0),
    call(${deniedCalls['ptrace']?.[here]}, 16, child, 0, 0),
    attempt(lambda: socket.socket(17, socket.SOCK_DGRAM)), attempt(lambda: socket.socket(40, socket.SOCK_STREAM)),
    attempt(lambda: socket.socket(38, socket.SOCK_SEQPACKET)), attempt(lambda: socket.socket(2, socket.SOCK_RAW, 1)),
]))
os.kill(child, 9)`)
    expect(JSON.parse(out)).toEqual([
      ...Array<string>(5).fill('EPERM'),
      'ENOSYS',
      'EPERM',
      'EPERM',
      ...Array<string>(3).fill('EAFNOSUPPORT'),
      'EPERM',
    ])
  })

  test.skipIf(here !== 'x64')('a call under the numbers of another ABI is the end of the program', async () => {
    // mov eax, 20; int 0x80; ret: getpid of 32-bit x86.
    const { out } = await run(`
import mmap, os
def end(run):
    child = os.fork()
    if child == 0:
        run(); os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
page = mmap.mmap(-1, 4096, prot=7); page.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))
foreign = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
print(json.dumps([end(lambda: None), end(foreign), end(lambda: call(0x40000000 + 39))]))`)
    // SIGSYS; a kernel without 32-bit x86 says SIGSEGV before the filter is asked.
    const [calm, x86, x32] = JSON.parse(out) as number[]
    expect(calm).toBe(0)
    expect([-31, -11]).toContain(x86)
    expect(x32).toBe(-31)
  })

  test('without a cgroup there is no memory that nobody maps', async () => {
    const watched = createBubblewrapRunner({ nodePath: process.execPath, cgroups: () => undefined })
    const code = `${python}
import os
try: print(os.memfd_create('hoard'))
except OSError as error: print(errno.errorcode[error.errno])
print(call(${uncountedCalls['shmget']?.[here]}, 0, 4096, 0o1600))`
    expect((await runProgram(watched, ['/usr/bin/python3', '-c', code])).out).toBe('ENOSYS\nENOSYS\n')
  })

  test('node, python, git and sqlite do what they do', async () => {
    const { out, err, ended } = await run(`
import multiprocessing, os, platform, socket, sqlite3, ssl, subprocess, tempfile, threading
os.chdir(os.environ['HOME'])
sqlite3.connect('a.db').execute('pragma journal_mode=wal').fetchall()
subprocess.run(['git', 'init', '-q', 'r'], check=True)
subprocess.run(['git', '-C', 'r', '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '--allow-empty', '-m', 'x'], check=True)
with multiprocessing.Pool(2) as pool: print(sum(pool.map(abs, [-1, -2, -3])))
threads = [threading.Thread(target=lambda: None) for _ in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
ssl.create_default_context()
server = socket.create_server(('127.0.0.1', 0)); socket.create_connection(server.getsockname()).close()
print(len(socket.if_nameindex()))
script = "const {Worker} = require('worker_threads'); new Worker('require(\\\\'worker_threads\\\\').parentPort.postMessage(require(\\\\'os\\\\').networkInterfaces())', {eval: true}).on('message', (m) => console.log(Object.keys(m).length))"
print(subprocess.run(['/opt/turnward/node', '-e', script], check=True, capture_output=True, text=True).stdout.strip())
print(subprocess.run(['git', '-C', 'r', 'log', '--format=%s'], check=True, capture_output=True, text=True).stdout.strip())`)
    expect({ out, err, ended }).toEqual({ out: '6\n1\n1\nx\n', err: '', ended: 'exit 0' })
  })
})
