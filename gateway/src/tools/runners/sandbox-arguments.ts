/**
 * The bubblewrap command line as a pure function of a plan: what the sandbox sees, as whom it runs, what bounds it.
 * Everything that is not listed here is absent inside. Values of environment variables never appear in it.
 */
import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { KeptHome } from './kept-home.ts'
import type { Mount } from './sandbox-mounts.ts'
import type { SandboxNetwork } from './sandbox-network.ts'
import type { SandboxUser } from './sandbox-user.ts'
import { contains, outermost, type ServerCommand } from './server-command.ts'

export const sandboxHome = '/home/sandbox'
const toolsFolder = '/opt/turnward'
const sandboxNode = `${toolsFolder}/node`
const sandboxForwarder = `${toolsFolder}/egress-forwarder.mts`
const sandboxSockets = '/run/turnward'

export interface SandboxPlan {
  readonly bwrap: string
  readonly prlimit: string
  readonly setpriv: string
  readonly nodePath: string
  readonly command: ServerCommand
  readonly mounts: readonly Mount[]
  readonly user: SandboxUser
  readonly protect: readonly string[]
  /** Folder with the passwd, group, hosts and nsswitch.conf made for this server. */
  readonly etcFolder: string
  readonly limitOptions: readonly string[]
  readonly tmpBytes: number
  /** Folder of the host that is its home; undefined where its home is empty at every start. */
  readonly home: KeptHome | undefined
  /** Whether it starts a browser. */
  readonly browser: boolean
  /** Set when the server may reach something: the folder of sockets, and what leads to them inside. */
  readonly egress: { readonly folder: string; readonly forwarder: string; readonly network: SandboxNetwork } | undefined
}

/** Host files every program needs; no host accounts, no keys, no resolver. */
const sharedEtc = [
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'alternatives',
  'ssl/certs',
  'ssl/openssl.cnf',
  'ca-certificates',
  'pki/tls/certs',
  'pki/ca-trust/extracted',
  'mime.types',
  'fonts',
  'localtime',
  'timezone',
  'os-release',
]
const madeEtc = ['passwd', 'group', 'hosts', 'nsswitch.conf', 'gitconfig']
const zones = '/usr/share/zoneinfo/'
/** Where packages of browsers put what is not below /usr. */
const browserFolders = [
  '/etc/chromium',
  '/etc/chromium.d',
  '/etc/opt/chrome',
  '/opt/google/chrome',
  '/opt/microsoft/msedge',
  '/opt/chromium',
]
/** Pages of a browser are drawn there. */
const browserShared = 512 * 1024 * 1024
const systemFolders = ['/bin', '/sbin', '/lib', '/lib64', '/lib32']

/** The whole command line, executable first. Environment and start gate are passed over file descriptors. */
export function sandboxCommand(plan: SandboxPlan): string[] {
  return [plan.bwrap, ...isolation(plan), ...filesystem(plan), '--chdir', sandboxHome, '--', ...inside(plan)]
}

function isolation({ user, browser }: SandboxPlan): string[] {
  const shared = ['--die-with-parent', '--new-session', '--hostname', 'sandbox', '--cap-drop', 'ALL']
  if (user.kind !== 'dropped') {
    // A browser makes a smaller sandbox of its own in a user namespace; its filter lets it do nothing else there.
    const namespaces = ['--unshare-all', '--unshare-user', ...(browser ? [] : ['--disable-userns'])]
    return [...namespaces, '--uid', String(user.uid), '--gid', String(user.gid), ...shared]
  }
  // No user namespace: real root makes the mounts, and keeps only what it needs to become somebody else.
  return [
    '--unshare-ipc',
    '--unshare-pid',
    '--unshare-net',
    '--unshare-uts',
    '--unshare-cgroup-try',
    ...shared,
    '--cap-add',
    'CAP_SETUID',
    '--cap-add',
    'CAP_SETGID',
  ]
}

function filesystem(plan: SandboxPlan): string[] {
  const tmpfs = (path: string, bytes: number) => ['--perms', '1777', '--size', String(bytes), '--tmpfs', path]
  const readOnly = (source: string, target = source) => ['--ro-bind', source, target]
  const systemPaths = systemFolders.filter((path) => existsSync(path))
  const code = outermost(plan.command.code.filter((path) => !contains('/usr', path)))
  const etc = sharedEtc.map((name) => `/etc/${name}`).filter((path) => existsSync(path))
  const ofBrowser = plan.browser ? browserFolders.filter((path) => existsSync(path)) : []
  const hidden = plan.protect.filter((path) => existsSync(path) && [...code, '/usr'].some((bound) => contains(bound, path)))
  return [
    ...readOnly('/usr'),
    ...systemPaths.flatMap((path) => (lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : readOnly(path))),
    ...openParents([...etc, ...ofBrowser, sandboxHome, sandboxNode, join(sandboxSockets, 'http')]),
    ...etc.flatMap((path) => timeZoneLink(path) ?? readOnly(path)),
    ...ofBrowser.flatMap((path) => readOnly(path)),
    ...madeEtc.flatMap((name) => readOnly(join(plan.etcFolder, name), `/etc/${name}`)),
    '--proc',
    '/proc',
    // Read-only, because the owner of a file may write it without any capability, and these set up the whole machine. A browser
    // writes the ids of its own sandbox there; whoever is root outside has to do without.
    ...(plan.browser && plan.user.kind !== 'mapped' ? [] : ['--remount-ro', '/proc']),
    '--dev',
    '/dev',
    ...tmpfs('/dev/shm', plan.browser ? Math.max(plan.tmpBytes, browserShared) : plan.tmpBytes),
    '--remount-ro',
    '/dev',
    ...tmpfs('/tmp', plan.tmpBytes),
    ...(plan.home === undefined ? tmpfs(sandboxHome, plan.tmpBytes) : ['--bind', plan.home.path, sandboxHome]),
    // Made after /tmp, because a mount may lie below it.
    ...openParents([...code, ...plan.mounts.map(({ target }) => target)]),
    ...readOnly(plan.nodePath, sandboxNode),
    ...(plan.egress === undefined
      ? []
      : [...readOnly(plan.egress.forwarder, sandboxForwarder), ...readOnly(plan.egress.folder, sandboxSockets)]),
    // A link stays a link: bound, it would show what it leads to, wherever that is.
    ...code.flatMap((path) => (lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : readOnly(path))),
    ...hidden.flatMap((path) =>
      lstatSync(path).isDirectory() ? ['--perms', '0000', '--tmpfs', path, '--remount-ro', path] : readOnly('/dev/null', path),
    ),
    ...plan.mounts.flatMap(({ source, target, write }) => [write ? '--bind' : '--ro-bind', source, target]),
    '--remount-ro',
    '/',
  ]
}

/** A time zone is named by where the link leads; bound, only its rules would be left. */
function timeZoneLink(path: string): string[] | undefined {
  if (path !== '/etc/localtime' || !lstatSync(path).isSymbolicLink()) return undefined
  const zone = resolve('/etc', readlinkSync(path))
  return zone.startsWith(zones) ? ['--symlink', zone, path] : undefined
}

/** Folders above these paths, outermost first. Bubblewrap would make them for their owner only, and the server may be another user. */
function openParents(paths: readonly string[]): string[] {
  const folders = new Set<string>()
  for (const path of paths) for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) folders.add(folder)
  return [...folders]
    .filter((folder) => !contains('/usr', folder))
    .sort((a, b) => a.length - b.length)
    .flatMap((folder) => ['--perms', '0755', '--dir', folder])
}

/** Limits first, then the user: a limit set by root cannot be raised by the user the server runs as. */
function inside(plan: SandboxPlan): string[] {
  const { user, command } = plan
  const become =
    user.kind === 'dropped'
      ? [
          plan.setpriv,
          '--reuid',
          String(user.uid),
          '--regid',
          String(user.gid),
          '--clear-groups',
          '--inh-caps=-all',
          '--no-new-privs',
          '--',
        ]
      : []
  const forward =
    plan.egress === undefined ? [] : [sandboxNode, sandboxForwarder, sandboxSockets, JSON.stringify(plan.egress.network.listeners)]
  return [
    plan.prlimit,
    ...plan.limitOptions,
    '--',
    ...become,
    ...forward,
    command.isNode ? sandboxNode : command.executable,
    ...command.args,
  ]
}
