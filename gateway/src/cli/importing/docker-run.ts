/** The words of `docker run`: what of them a container of ours has, what it does without, and what cannot be had. Pure. */

export interface DockerRun {
  readonly image: string
  /** For the entrypoint of the image. */
  readonly args: readonly string[]
  /** `NAME`, of the environment `docker` is started in, or `NAME=VALUE`. */
  readonly env: readonly string[]
  readonly binds: readonly { readonly source: string; readonly target: string; readonly write: boolean }[]
  /** Volumes by name: what is in them stays with the engine. */
  readonly volumes: readonly string[]
  /** Options that say something a container of ours has its own way for. */
  readonly without: readonly string[]
  /** Whether it was to have no network. */
  readonly isOffline: boolean
}

/** What `docker run` has no value for. */
const switches: ReadonlySet<string> = new Set([
  '--interactive',
  '--tty',
  '--rm',
  '--init',
  '--read-only',
  '--detach',
  '--quiet',
  '--no-healthcheck',
])
/** What has a value that does not matter here, because a container of ours is made another way. */
const ownWay: ReadonlySet<string> = new Set(
  `--name --platform --workdir --user --memory --memory-swap --cpus --pids-limit --pull --label --hostname --restart --log-driver --log-opt --publish
  --cap-drop --security-opt --shm-size --tmpfs --ulimit --stop-timeout --stop-signal --cpu-shares --cidfile`.split(/\s+/),
)
const long: Readonly<Record<string, string>> = {
  i: '--interactive',
  t: '--tty',
  d: '--detach',
  q: '--quiet',
  e: '--env',
  v: '--volume',
  w: '--workdir',
  u: '--user',
  m: '--memory',
  p: '--publish',
  l: '--label',
  h: '--hostname',
}

/** `words`: those behind `docker run`. A text is the option that cannot be had. */
export function dockerRun(words: readonly string[]): DockerRun | string {
  const env: string[] = []
  const binds: DockerRun['binds'][number][] = []
  const volumes: string[] = []
  const without: string[] = []
  let isOffline = false
  let index = 0
  for (; index < words.length; index += 1) {
    const word = words[index] ?? ''
    if (!word.startsWith('-')) break
    for (const { option, inline } of optionsOf(word)) {
      if (switches.has(option)) continue
      const value = inline ?? words[(index += 1)] ?? ''
      if (option === '--env') env.push(value)
      else if (option === '--network' || option === '--net') isOffline = value === 'none'
      else if (option === '--volume' || option === '--mount') {
        const bind = option === '--volume' ? volumeBind(value) : mountBind(value)
        if (bind === undefined) return option
        if (typeof bind === 'string') volumes.push(bind)
        else binds.push(bind)
      } else if (ownWay.has(option)) without.push(option)
      else return option
    }
  }
  const image = words[index]
  if (image === undefined) return 'the image'
  return { image, args: words.slice(index + 1), env, binds, volumes, without, isOffline }
}

/** `-it`, `-eNAME`, `--env=NAME`: one option or several, the last with its value where it stands in the same word. */
function optionsOf(word: string): { readonly option: string; readonly inline: string | undefined }[] {
  const [, name, inline] = /^(--[\w-]+)(?:=(.*))?$/s.exec(word) ?? []
  if (name !== undefined) return [{ option: name, inline: switches.has(name) ? '' : inline }]
  const found: { option: string; inline: string | undefined }[] = []
  for (let at = 1; at < word.length; at += 1) {
    const option = long[word[at] ?? ''] ?? `-${word[at]}`
    if (!switches.has(option))
      return [...found, { option, inline: at + 1 < word.length ? word.slice(at + 1).replace(/^=/, '') : undefined }]
    found.push({ option, inline: undefined })
  }
  return found
}

/** `SOURCE:TARGET[:ro]`. A name without a slash is a volume. */
function volumeBind(value: string): DockerRun['binds'][number] | string | undefined {
  const [, source, target, options] = /^([^:]+):(\/[^:]*)(?::([\w,]+))?$/.exec(value) ?? []
  if (source === undefined || target === undefined) return /^\/[^:]*$/.test(value) ? value : undefined
  if (!/[/~$.]/.test(source)) return source
  return { source, target, write: options?.split(',').includes('ro') !== true }
}

/** `type=bind,src=…,dst=…[,readonly]`. */
function mountBind(value: string): DockerRun['binds'][number] | string | undefined {
  const fields = new Map(value.split(',').map((field) => [field.split('=')[0] ?? '', field.slice(field.indexOf('=') + 1)]))
  const source = fields.get('src') ?? fields.get('source')
  const target = fields.get('dst') ?? fields.get('target') ?? fields.get('destination')
  if (fields.get('type') === 'tmpfs') return target
  if (source === undefined || target === undefined) return undefined
  if (fields.get('type') !== 'bind') return source
  return { source, target, write: !['ro', 'readonly'].some((name) => fields.has(name) && fields.get(name) !== 'false') }
}
