/**
 * The container that a server becomes: no network, nothing to write to but memory of its own and the folders it is given, no
 * capabilities, bounded memory and processes. Pure: a configuration in, the body of ContainerCreate out.
 */
import { TurnwardError } from '../../../core/error.ts'
import { digestJson } from '../../../core/hash.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { StdioConfig } from '../resource-limits.ts'
import { sandboxHome } from '../sandbox-arguments.ts'
import type { Mount } from '../sandbox-mounts.ts'

/** Labels of containers of ours, and what is found by them. */
export const labels = {
  server: 'turnward.server',
  /** Which gateway it belongs to, over restarts. */
  gateway: 'turnward.gateway',
  /** Which process of it. */
  process: 'turnward.process',
  /** Digest of everything the container was made from. */
  spec: 'turnward.spec',
} as const

export type DockerSettings = NonNullable<StdioConfig['docker']>

/** Who nobody is in most images made for running as nobody. */
const nobody = '65532:65532'
const mebibyte = 1024 * 1024

/** The settings of a server that runs in a container. Throws `config.invalid` where there are none. */
export function dockerSettings(server: string, { docker }: StdioConfig): DockerSettings {
  if (docker !== undefined) return docker
  throw new TurnwardError('config.invalid', { subject: `servers.${server}.docker`, why: '`runner: docker` needs an image' })
}

/** Who the server runs as. Throws `config.invalid` when nobody but root could write to its folders. */
export function containerUser(server: string, settings: Pick<DockerSettings, 'user'>, mounts: readonly Mount[]): string {
  if (settings.user !== undefined) return settings.user
  const owners = [...new Set(mounts.filter(({ write }) => write).map(({ uid, gid }) => `${uid}:${gid}`))]
  if (owners.length === 0) return nobody
  const [owner = nobody] = owners
  if (owners.length === 1 && !/^0:|:0$/.test(owner)) return owner
  throw new TurnwardError('config.invalid', {
    subject: `servers.${server}.docker.user`,
    why: 'the folders it may write to belong to root or to several users',
    fix: 'Set `docker.user`, and give that user the folders.',
  })
}

export interface ContainerOptions {
  readonly server: string
  readonly config: StdioConfig
  readonly mounts: readonly Mount[]
  /** Which gateway, and which process of it. */
  readonly gateway: string
  readonly process: string
}

/** The body of ContainerCreate (Engine API 1.44). */
export function containerSpec({ server, config, mounts, gateway, process }: ContainerOptions): JsonObject {
  const { limits } = config
  const settings = dockerSettings(server, config)
  const user = containerUser(server, settings, mounts)
  const [uid, gid] = user.split(':')
  const memory = limits.memory_mb * mebibyte
  const file = limits.file_mb * mebibyte
  const inMemory = `rw,nosuid,nodev,size=${file}`
  const body: JsonObject = {
    Image: settings.image,
    ...(config.command.length === 0 ? {} : { Cmd: [...config.command] }),
    Env: Object.entries({ HOME: sandboxHome, TMPDIR: '/tmp', ...config.env }).map(([name, value]) => `${name}=${value}`),
    User: user,
    WorkingDir: sandboxHome,
    Tty: false,
    OpenStdin: true,
    // Whatever happens to us, its input ends with our connection.
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      IpcMode: 'private',
      CgroupnsMode: 'private',
      Init: true,
      // Why it ended is asked first; then it is removed.
      AutoRemove: false,
      LogConfig: { Type: 'none' },
      Memory: memory,
      // Swap would be memory that is not counted.
      MemorySwap: memory,
      PidsLimit: limits.processes,
      ...(settings.cpus === undefined ? {} : { NanoCpus: Math.round(settings.cpus * 1e9) }),
      ShmSize: file,
      Tmpfs: { '/tmp': `${inMemory},mode=1777`, [sandboxHome]: `${inMemory},mode=0700,uid=${uid},gid=${gid}` },
      Ulimits: [
        { Name: 'core', Soft: 0, Hard: 0 },
        { Name: 'cpu', Soft: limits.cpu_seconds, Hard: limits.cpu_seconds },
        { Name: 'fsize', Soft: file, Hard: file },
        { Name: 'nofile', Soft: 4096, Hard: 4096 },
      ],
      // Not `Binds`: those make a folder where there is none.
      Mounts: mounts.map(({ source, target, write }) => ({
        Type: 'bind',
        Source: source,
        Target: target,
        ReadOnly: !write,
        BindOptions: { Propagation: 'rprivate' },
      })),
    },
  }
  return {
    ...body,
    Labels: { [labels.server]: server, [labels.gateway]: gateway, [labels.process]: process, [labels.spec]: digestJson(body).slice(0, 16) },
  }
}

/** The same as a command line, for people to read. Values of the environment are not in it. */
export function dockerCommand(server: string, config: StdioConfig, mounts: readonly Mount[]): string[] {
  const { limits } = config
  const settings = dockerSettings(server, config)
  return [
    'docker',
    'run',
    '--rm',
    '--interactive',
    '--init',
    '--network=none',
    '--read-only',
    '--cap-drop=ALL',
    '--security-opt=no-new-privileges',
    `--user=${containerUser(server, settings, mounts)}`,
    `--memory=${limits.memory_mb}m`,
    `--memory-swap=${limits.memory_mb}m`,
    `--pids-limit=${limits.processes}`,
    ...(settings.cpus === undefined ? [] : [`--cpus=${settings.cpus}`]),
    ...['/tmp', sandboxHome].map((path) => `--tmpfs=${path}:size=${limits.file_mb}m`),
    ...mounts.map(({ source, target, write }) => `--mount=type=bind,source=${source},target=${target}${write ? '' : ',readonly'}`),
    ...Object.keys(config.env).map((name) => `--env=${name}`),
    settings.image,
    ...config.command,
  ]
}
