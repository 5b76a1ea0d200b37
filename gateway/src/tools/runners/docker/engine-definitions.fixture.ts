/**
 * What version 1.44 of the Engine API publishes of the requests that are made of it: every property there is, with its type
 * (`ContainerConfig`, `Resources`, `HostConfig`, `Mount`). What is not published is refused, as a misspelt protection must be.
 */
import { z } from 'zod'

const text = z.string()
const whole = z.number().int()
const texts = z.array(text)
const textMap = z.record(text, text)
const ulimit = z.strictObject({ Name: text, Soft: whole, Hard: whole })

const mount = z
  .strictObject({
    Target: text.startsWith('/'),
    Source: text,
    Type: z.enum(['bind', 'cluster', 'image', 'npipe', 'tmpfs', 'volume']),
    ReadOnly: z.boolean(),
    Consistency: text,
    BindOptions: z
      .strictObject({
        Propagation: z.enum(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']),
        NonRecursive: z.boolean(),
        CreateMountpoint: z.boolean(),
        ReadOnlyNonRecursive: z.boolean(),
        ReadOnlyForceRecursive: z.boolean(),
      })
      .partial(),
  })
  .partial()

const hostConfig = z
  .strictObject({
    CpuShares: whole,
    Memory: whole.min(6 * 1024 * 1024),
    CgroupParent: text,
    BlkioWeight: whole,
    CpuPeriod: whole,
    CpuQuota: whole,
    CpusetCpus: text,
    CpusetMems: text,
    MemoryReservation: whole,
    MemorySwap: whole,
    MemorySwappiness: whole.min(0).max(100),
    NanoCpus: whole,
    OomKillDisable: z.boolean(),
    Init: z.boolean().nullable(),
    PidsLimit: whole.nullable(),
    Ulimits: z.array(ulimit),
    Binds: texts,
    LogConfig: z
      .strictObject({
        Type: z.enum(['json-file', 'syslog', 'journald', 'gelf', 'fluentd', 'awslogs', 'splunk', 'etwlogs', 'none']),
        Config: textMap,
      })
      .partial(),
    NetworkMode: text,
    RestartPolicy: z.strictObject({ Name: text, MaximumRetryCount: whole }).partial(),
    AutoRemove: z.boolean(),
    VolumesFrom: texts,
    Mounts: z.array(mount),
    Annotations: textMap,
    CapAdd: texts,
    CapDrop: texts,
    CgroupnsMode: z.enum(['private', 'host']),
    Dns: texts,
    ExtraHosts: texts,
    GroupAdd: texts,
    IpcMode: text,
    Links: texts,
    OomScoreAdj: whole,
    PidMode: text,
    Privileged: z.boolean(),
    PublishAllPorts: z.boolean(),
    ReadonlyRootfs: z.boolean(),
    SecurityOpt: texts,
    StorageOpt: textMap,
    Tmpfs: textMap,
    UTSMode: text,
    UsernsMode: text,
    ShmSize: whole.min(0),
    Sysctls: textMap,
    Runtime: text,
    MaskedPaths: texts,
    ReadonlyPaths: texts,
  })
  .partial()

/** The body of ContainerCreate. */
export const containerCreate = z
  .strictObject({
    Hostname: text,
    Domainname: text,
    User: text,
    AttachStdin: z.boolean(),
    AttachStdout: z.boolean(),
    AttachStderr: z.boolean(),
    Tty: z.boolean(),
    OpenStdin: z.boolean(),
    StdinOnce: z.boolean(),
    Env: texts,
    Cmd: texts,
    Healthcheck: z.strictObject({ Test: texts }),
    Image: text,
    WorkingDir: text,
    Entrypoint: texts,
    NetworkDisabled: z.boolean().nullable(),
    Labels: textMap,
    StopSignal: text,
    StopTimeout: whole.nullable(),
    Shell: texts,
    HostConfig: hostConfig,
  })
  .partial()
  .required({ Image: true })

/** Method and path of every operation, with the query parameters that are published for it. */
export const operations: readonly { readonly method: string; readonly path: RegExp; readonly query: readonly string[] }[] = [
  { method: 'GET', path: /^\/images\/[^/]+\/json$/, query: ['manifests'] },
  { method: 'POST', path: /^\/images\/create$/, query: ['fromImage', 'fromSrc', 'repo', 'tag', 'message', 'changes', 'platform'] },
  { method: 'GET', path: /^\/containers\/json$/, query: ['all', 'limit', 'size', 'filters'] },
  { method: 'POST', path: /^\/containers\/create$/, query: ['name', 'platform'] },
  { method: 'GET', path: /^\/containers\/[^/]+\/json$/, query: ['size'] },
  { method: 'POST', path: /^\/containers\/[^/]+\/start$/, query: ['detachKeys'] },
  { method: 'POST', path: /^\/containers\/[^/]+\/stop$/, query: ['signal', 't'] },
  { method: 'POST', path: /^\/containers\/[^/]+\/kill$/, query: ['signal'] },
  { method: 'POST', path: /^\/containers\/[^/]+\/wait$/, query: ['condition'] },
  { method: 'POST', path: /^\/containers\/[^/]+\/attach$/, query: ['detachKeys', 'logs', 'stream', 'stdin', 'stdout', 'stderr'] },
  { method: 'DELETE', path: /^\/containers\/[^/]+$/, query: ['v', 'force', 'link'] },
]
