import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { configSchema } from '@turnward/contract/config'
import { connectionHeaders } from '../http1/header-fields.ts'
import { compileSnapshot } from './compile.ts'
import { loadConfig } from './load.ts'
import { ConfigError } from './problems.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}

async function failure(path: string, env: Record<string, string> = {}): Promise<ConfigError> {
  const error: unknown = await loadConfig(path, env).catch((thrown: unknown) => thrown)
  if (!(error instanceof ConfigError)) throw new Error('this should be refused with a ConfigError')
  return error
}

const complete = `
credentials:
  team: { secret: "\${KEY}" }
upstreams:
  openai: { kind: openai, credential: team }
  local: { kind: openai-compatible, base_url: "http://127.0.0.1:11434/v1", credential: none }
routes:
  - { model: "*", upstreams: [local] }
  - { model: "gpt-*", upstreams: [openai, { upstream: local, model: llama }] }
  - { model: "gpt-4*", upstreams: [local] }
  - { model: gpt-4o, upstreams: [openai] }
groups:
  staff: { credentials: { openai: team } }
principals:
  alice: { groups: [staff], emails: [alice@example.com], credentials: { local: none } }
keys:
  laptop: { principal: alice, consumer: ide, actor: coder, secret: "\${file:key.txt}", expires: 2027-01-31 }
  phone: { principal: alice, secret: tw_0123456789abcdefghij, expires: "2027-01-31T12:00:00+02:00" }
servers:
  files: { transport: stdio, command: [node, ./server.js, plain], mounts: [{ path: shared }] }
gateways:
  main: { servers: [files], tools: ["files__read_*"], instructions: Read only. }
grants:
  - { groups: [staff], models: ["gpt-*"], gateways: [main], tools: ["*"] }
contracts:
  "files__*": { output: { trust: untrusted, audience: [staff] } }
rules:
  - { name: no-writes, when: "tool.name == 'files__write'", verdict: deny, reason: Files are read only. }
`

async function loadComplete(env: Record<string, string> = { KEY: 'provider-secret' }) {
  write('key.txt', 'tw_key-from-a-file-0123456789\n')
  return loadConfig(write('turnward.yaml', complete), env)
}

describe('a complete configuration becomes a snapshot', () => {
  test('with every section resolved', async () => {
    const snapshot = await loadComplete()
    expect(snapshot.revision).toMatch(/^[0-9a-f]{12}$/)
    expect(snapshot.files).toEqual([join(folder, 'turnward.yaml')])
    expect(snapshot.dataDir).toBe(join(folder, '.turnward'))
    expect(snapshot.settings.listen).toEqual({ host: '127.0.0.1', port: 4100, hosts: [], ignore_credential_headers: [] })
    expect(snapshot.principals.get('alice')).toEqual({
      id: 'alice',
      kind: 'human',
      issuer: null,
      groups: ['staff'],
      emails: ['alice@example.com'],
      credentials: new Map([['local', 'none']]),
    })
    expect(snapshot.groupCredentials.get('staff')?.get('openai')).toBe('team')
    expect(snapshot.credentials.get('team')?.secret).toBe('provider-secret')
    expect(snapshot.gateways.get('main')?.tools.matches('files__read_file')).toBe(true)
    expect(snapshot.gateways.get('main')?.tools.matches('files__write_file')).toBe(false)
    expect(snapshot.policy.contractOf('files__read_file')).toMatchObject({ source: 'files__*', output: { trust: 0, audience: ['@staff'] } })
    expect(snapshot.policy.rules.map((rule) => rule.name)).toEqual(['no-writes'])
  })

  test('with keys read from files without their last line break', async () => {
    const { keys } = await loadComplete()
    expect(keys.get('laptop')).toMatchObject({
      secret: 'tw_key-from-a-file-0123456789',
      principal: 'alice',
      consumer: 'ide',
      actor: 'coder',
    })
    expect(keys.get('phone')).toMatchObject({ consumer: null, actor: null })
  })

  test('where a bare date is the last day of a key and a time is exact', async () => {
    const { keys } = await loadComplete()
    expect(keys.get('laptop')?.expires).toBe(Date.UTC(2027, 1, 1))
    expect(keys.get('phone')?.expires).toBe(Date.UTC(2027, 0, 31, 10))
  })

  test('where an exact route beats a pattern and a longer pattern a shorter', async () => {
    const { routes } = await loadComplete()
    expect(['gpt-4o', 'gpt-4-turbo', 'gpt-3', 'llama'].map((model) => routes.resolve(model)?.model)).toEqual([
      'gpt-4o',
      'gpt-4*',
      'gpt-*',
      '*',
    ])
    expect(routes.names).toEqual(['gpt-4o'])
    expect(routes.resolve('gpt-3')?.targets.map((target) => [target.upstream.name, target.model])).toEqual([
      ['openai', undefined],
      ['local', 'llama'],
    ])
  })

  test('where paths of servers are relative to the configuration file', async () => {
    const server = (await loadComplete()).servers.get('files')?.config
    expect(server).toMatchObject({
      command: ['node', join(folder, 'server.js'), 'plain'],
      mounts: [{ path: join(folder, 'shared'), write: false }],
    })
  })

  test('that cannot be changed afterwards', async () => {
    const snapshot = await loadComplete()
    const credentials = snapshot.credentials as Map<string, unknown>
    expect(() => credentials.set('other', {})).toThrow(TypeError)
    expect(() => Object.assign(snapshot.settings.listen, { port: 1 })).toThrow(TypeError)
    const groups = snapshot.principals.get('alice')?.groups
    expect(groups).toEqual(['staff'])
    expect(Object.isFrozen(groups)).toBe(true)
  })
})

describe('the revision', () => {
  test('is the same for the same configuration and another one for another secret', async () => {
    const first = await loadComplete()
    expect((await loadComplete()).revision).toBe(first.revision)
    expect((await loadComplete({ KEY: 'another-secret' })).revision).not.toBe(first.revision)
  })

  test('does not depend on how the configuration is spread over files or written down', async () => {
    const whole = await loadConfig(write('a.yaml', 'listen: { port: 5000 }\nupstreams:\n  x: { kind: openai }\n'), {})
    write('parts/x.yaml', 'upstreams: { x: { kind: openai } }\n')
    const spread = await loadConfig(write('b.yaml', '# spread\ninclude: [parts]\nlisten:\n  port: 5000\n'), {})
    expect(spread.revision).toBe(whole.revision)
  })

  test('of a server changes with its environment only', async () => {
    const text = (port: number, token: string) =>
      `listen: { port: ${port} }\nservers:\n  a: { transport: stdio, command: [x], env: { TOKEN: ${token} } }\n`
    const digest = async (port: number, token: string) =>
      (await loadConfig(write('t.yaml', text(port, token)), {})).servers.get('a')?.digest
    const first = await digest(1, 'one')
    expect(await digest(2, 'one')).toBe(first)
    expect(await digest(1, 'two')).not.toBe(first)
  })
})

describe('includes', () => {
  test('are files and folders relative to the including file, in order of their names', async () => {
    write('conf/b.yaml', 'routes: [{ model: b, upstreams: [x] }]')
    write('conf/a.yaml', 'include: [deeper/more.yaml]\nroutes: [{ model: a, upstreams: [x] }]')
    write('conf/deeper/more.yaml', 'upstreams: { x: { kind: openai } }')
    write('conf/ignored.yml', 'nonsense: true')
    write('conf/.hidden.yaml', 'nonsense: true')
    const snapshot = await loadConfig(write('turnward.yaml', 'include: [conf]\nroutes: [{ model: main, upstreams: [x] }]'), {})
    expect(snapshot.routes.names).toEqual(['main', 'a', 'b'])
    expect(snapshot.files).toEqual(
      ['turnward.yaml', 'conf/a.yaml', 'conf/deeper/more.yaml', 'conf/b.yaml'].map((name) => join(folder, name)),
    )
  })

  test('report a problem in the included file, not in the including one', async () => {
    const part = write('parts/part.yaml', '# first line\nupstreams:\n  x: { kind: opnai }\n')
    const { problems, text } = await failure(write('turnward.yaml', 'include: [parts/part.yaml]\n'))
    expect(problems).toMatchObject([{ file: part, line: 3, column: 14, path: 'upstreams.x.kind', suggestion: 'openai' }])
    expect(text).toContain('parts/part.yaml:3:14  `opnai`')
  })

  test('refuse two files that include each other', async () => {
    write('b.yaml', 'include: [a.yaml]')
    expect((await failure(write('a.yaml', 'include: [b.yaml]'))).problems).toMatchObject([
      { file: join(folder, 'b.yaml'), message: 'the included file `a.yaml` includes itself' },
    ])
  })

  test('a contract that says so stands in the place of one in another file, whichever is read first', async () => {
    const own = 'contracts: { web__get: { override: true, output: { trust: trusted } } }'
    const theirs = 'contracts: { web__get: { output: { trust: untrusted }, effects: [egress] } }'
    for (const [main, other] of [
      [own, theirs],
      [theirs, own],
    ] as const) {
      write('b.yaml', other)
      const { policy } = await loadConfig(write('a.yaml', `include: [b.yaml]\n${main}`), {})
      expect(policy.contractOf('web__get')).toMatchObject({ output: { trust: 1 }, effects: [] })
    }
    write('b.yaml', own)
    expect((await failure(write('a.yaml', `include: [b.yaml]\n${own}`))).problems).toMatchObject([{ path: 'contracts.web__get' }])
  })

  test('refuse a setting that two files give', async () => {
    write('b.yaml', 'policy: { posture: observe }')
    const { problems } = await failure(write('a.yaml', 'include: [b.yaml]\npolicy: { posture: strict }'))
    expect(problems).toMatchObject([{ path: 'policy.posture', message: '`policy.posture` is declared twice; first at a.yaml:2' }])
  })
})

describe('references in values', () => {
  const secretOf = async (written: string, env: Record<string, string> = {}) => {
    const { credentials } = await loadConfig(write('turnward.yaml', `credentials: { a: { secret: ${JSON.stringify(written)} } }`), env)
    return credentials.get('a')?.secret
  }

  test.each([
    ['${A}', 'one'],
    ['x-${A}-${B}', 'x-one-two'],
    ['${NONE:-fallback}', 'fallback'],
    ['${EMPTY:-fallback}', 'fallback'],
    ['${A:-fallback}', 'one'],
    ['$${A}', '${A}'],
    ['a$b', 'a$b'],
    ['$$$$', '$$'],
    ['$args.to', '$args.to'],
    ['${NESTED}', '${A}'],
    ['${NONE:-$$}', '$'],
    ['${NONE:-${ALSO_NONE:-last}}', 'last'],
    ['${NONE:-<${A}>}', '<one>'],
    ['${A:-${NONE}}', 'one'],
  ])('%s is %s', async (written, value) => {
    expect(await secretOf(written, { A: 'one', B: 'two', EMPTY: '', NESTED: '${A}' })).toBe(value)
  })

  test('bring in text only, never YAML', async () => {
    expect(await secretOf('${A}', { A: 'x }, b: { secret: y' })).toBe('x }, b: { secret: y')
  })

  test('become numbers and booleans only where the schema asks for them and they are the whole value', async () => {
    const env = { PORT: '5000', ON: 'false', TEXT: '12345' }
    const text = 'listen: { port: "${PORT}" }\ntelemetry: { metrics: { enabled: "${ON}" } }\ncredentials: { a: { secret: "${TEXT}" } }'
    const { settings, credentials } = await loadConfig(write('turnward.yaml', text), env)
    expect([settings.listen.port, settings.telemetry.metrics.enabled, credentials.get('a')?.secret]).toEqual([5000, false, '12345'])
    expect((await failure(write('t.yaml', 'listen: { port: "4${PORT}" }'), { PORT: '1' })).problems).toMatchObject([
      { path: 'listen.port', message: 'expected a number, got text' },
    ])
    expect((await failure(write('t.yaml', 'listen: { port: "${PORT}" }'), { PORT: '0x10' })).problems).toMatchObject([
      { message: 'expected a number, got text' },
    ])
    expect((await failure(write('t.yaml', 'listen: { port: "${PORT}" }'), { PORT: '99999' })).problems).toMatchObject([
      { message: 'must be at most 65535' },
    ])
  })

  test('do not reach what an environment object inherits', async () => {
    expect((await failure(write('t.yaml', 'data_dir: "${constructor}"'))).problems).toMatchObject([
      { message: expect.stringContaining('`constructor` is not set') as string },
    ])
  })

  test('refuse files that are too large, and things that are not files', async () => {
    write('large.txt', 'x'.repeat(64 * 1024 + 1))
    const { problems } = await failure(
      write('t.yaml', 'credentials:\n  a: { secret: "${file:large.txt}" }\n  b: { secret: "${file:.}" }\n'),
    )
    expect(problems.map((problem) => problem.message)).toEqual([
      'the file `large.txt` is larger than 65536 bytes',
      'the file `.` is a folder',
    ])
  })

  test('trim exactly one line break from a file', async () => {
    write('two.txt', 'x\r\n')
    expect(await secretOf('${file:two.txt}')).toBe('x')
    write('two.txt', 'x\n\n')
    await expect(secretOf('${file:two.txt}')).rejects.toThrow('line break')
  })
})

describe('what is refused before anything is read out of it', () => {
  test.each([
    ['a file over 4 MiB', `# ${'x'.repeat(4 * 1024 * 1024)}`, 'is larger than 4194304 bytes'],
    ['a file nested too deeply', `data_dir: ${'['.repeat(2000)}${']'.repeat(2000)}`, 'nested'],
    ['an alias of itself', 'routes: &a [*a]', 'nested more than 64 levels deep'],
    ['a prototype as a key', 'contracts: { __proto__: {} }', 'cannot be used as a key'],
    ['a list as a key', '? [a]\n: b', 'keys must be plain strings'],
    ['a merge key', 'listen: &a { port: 1 }\nstore: { <<: *a }', 'unknown key `<<`'],
  ])('%s', async (_name, text, message) => {
    expect((await failure(write('turnward.yaml', text))).text).toContain(message)
  })

  test('a file that is not UTF-8', async () => {
    const path = join(folder, 'turnward.yaml')
    writeFileSync(path, Buffer.from([0x61, 0x3a, 0x20, 0xff]))
    expect((await failure(path)).problems).toMatchObject([{ message: 'the configuration file `turnward.yaml` is not valid UTF-8' }])
  })

  test('a file that does not exist', async () => {
    expect((await failure(join(folder, 'none.yaml'))).problems).toMatchObject([
      { file: join(folder, 'none.yaml'), message: 'the configuration file `none.yaml` does not exist' },
    ])
  })
})

describe('a started server with a child for each principal', () => {
  const problemsOf = async (server: string) =>
    (await failure(write('turnward.yaml', `servers:\n  s: { transport: stdio, command: [node, ./s.js], ${server} }`))).problems

  test('shares no folder that it writes to', async () => {
    expect(await problemsOf('per: principal, mounts: [{ path: /srv/a }, { path: /srv/b, write: true }]')).toMatchObject([
      { path: 'servers.s.mounts[1].write', message: expect.stringContaining('what one person writes there another could read') },
    ])
  })

  test('keeps no home', async () => {
    expect(await problemsOf('per: principal, home: keep')).toMatchObject([
      { path: 'servers.s.home', message: expect.stringContaining('what one person leaves there another could read') },
    ])
  })

  test('is not to be had for each session, and the refusal says what is', async () => {
    expect(await problemsOf('per: session')).toMatchObject([
      { code: 'config.not_available', path: 'servers.s.per', message: expect.stringContaining('`per: principal` keeps people apart') },
    ])
  })

  test('and one that runs once in the cluster is not stopped when it is idle', async () => {
    expect(await problemsOf('per: cluster, idle_ms: 60000')).toEqual(
      expect.arrayContaining([expect.objectContaining({ path: 'servers.s.idle_ms' })]),
    )
  })
})

describe('a server in a container', () => {
  const problemsOf = async (server: string) =>
    (await failure(write('turnward.yaml', `servers:\n  s: { transport: stdio, ${server} }`))).problems
  const digest = `sha256:${'a'.repeat(64)}`
  const accepted = 'limits: { unenforced: accept }'
  const pod = 'runner: kubernetes, kubernetes: { image: "x:1" }'

  test.each([
    ['no image', 'runner: docker', 'servers.s.docker', '`runner: docker` needs'],
    ['an image of whatever is latest', 'runner: docker, docker: { image: ghcr.io/acme/server }', 'servers.s.docker.image', 'its digest'],
    ['an image that is a path', `runner: docker, docker: { image: "../x@${digest}" }`, 'servers.s.docker.image', 'its digest'],
    ['root', 'runner: docker, docker: { image: "x:1", user: "0:0" }', 'servers.s.docker.user', 'root is not taken'],
    ['a way out', 'runner: docker, docker: { image: "x:1" }, network: [example.com]', 'servers.s.network', 'no network here'],
    ['an engine on the network', 'runner: docker, docker: { image: "x:1", socket: "tcp://x" }', 'servers.s.docker.socket', 'unix socket'],
    ['another runner', 'command: [node, a.js], docker: { image: "x:1" }', 'servers.s.docker', 'has no use for it'],
    ['nothing to run', 'env: { A: b }', 'servers.s.command', 'it is needed'],
    ['a pod and no image', `runner: kubernetes, ${accepted}`, 'servers.s.kubernetes', 'needs'],
    ['folders of this host in a pod', `${pod}, ${accepted}, mounts: [{ path: /srv }]`, 'servers.s.mounts', 'another host'],
    ['a name a pod may reach', `${pod}, ${accepted}, network: [10.0.0.1, example.com]`, 'servers.s.network[1]', 'knows no names'],
    ['limits nobody holds a pod to', pod, 'servers.s.limits.unenforced', 'podPidsLimit'],
    [
      'a token in the clear',
      'runner: kubernetes, kubernetes: { image: "x:1", api: "http://k8s.example" }',
      'servers.s.kubernetes.api',
      'must be https',
    ],
  ])('is refused with %s', async (_name, server, path, message) => {
    expect(await problemsOf(server)).toMatchObject([{ path, message: expect.stringContaining(message) }])
  })

  test('may have arguments or none, and paths in them are its own', async () => {
    const path = write(
      'turnward.yaml',
      `servers:
  a: { transport: stdio, runner: docker, docker: { image: "registry.example:5000/acme/a:1.2@${digest}" } }
  b: { transport: stdio, runner: docker, docker: { image: "b@${digest}" }, command: [./inside] }`,
    )
    const { servers } = await loadConfig(path, {})
    expect([...servers.values()].map(({ config }) => 'command' in config && config.command)).toEqual([[], ['./inside']])
  })
})

test.each([
  ['contracts: { web: { output: { as: quarantine } } }', 'contracts.web.output.as', 'nobody would answer questions'],
  ['quarantine: { model: q }', 'quarantine.model', 'no route serves `q`'],
  ['contracts: { web: { output: { answers: trusted } } }', 'contracts.web.output.answers', 'only a result that is withheld'],
])('what is withheld needs somebody who answers questions about it: %s', async (text, path, message) => {
  expect((await failure(write('turnward.yaml', text))).problems).toMatchObject([{ path, message: expect.stringContaining(message) }])
})

test('a named pipe is refused instead of waited for', async () => {
  execFileSync('mkfifo', [join(folder, 'pipe')])
  expect((await failure(write('t.yaml', 'data_dir: "${file:pipe}"'))).problems).toMatchObject([
    { message: 'the file `pipe` is not a regular file' },
  ])
})

test('names that a broken included file may declare are not called unknown', async () => {
  write('broken.yaml', 'upstreams: { x: [ }')
  const { problems } = await failure(
    write('turnward.yaml', 'include: [broken.yaml]\nroutes: [{ model: a, upstreams: [x] }]\nlisten: { prot: 1 }'),
  )
  expect(problems.map((problem) => problem.path)).toEqual(['', 'listen.prot'])
})

describe('a configuration that is not in a file', () => {
  const source = { files: [], dataDir: '/data' }

  test('compiles the same way', () => {
    const snapshot = compileSnapshot(
      configSchema.parse({ upstreams: { x: { kind: 'openai' } }, routes: [{ model: 'a', upstreams: ['x'] }] }),
      source,
    )
    expect([snapshot.dataDir, snapshot.routes.resolve('a')?.targets[0]?.upstream]).toEqual(['/data', snapshot.upstreams.get('x')])
  })

  test('is refused with every problem and its path', () => {
    const config = configSchema.parse({
      routes: [{ model: 'a', upstreams: ['x'] }],
      keys: { k: { principal: 'nobody', secret: 'x'.repeat(20) } },
    })
    expect(() => compileSnapshot(config, source)).toThrow(ConfigError)
    try {
      compileSnapshot(config, source)
    } catch (error) {
      expect(error).toMatchObject({ code: 'config.invalid', problems: [{ path: 'routes[0].upstreams[0]' }, { path: 'keys.k.principal' }] })
    }
  })
})

test('an empty mapping is a configuration in which nothing is allowed', async () => {
  const snapshot = await loadConfig(write('turnward.yaml', '{}\n'), {})
  expect([snapshot.policy.grants.lines, snapshot.routes.names, snapshot.keys.size]).toEqual([[], [], 0])
})

test.each(['', '# nothing yet\n', '~\n'])(
  'a file that is empty (%j) is a mistake, because hardly anybody means to take every key and grant away',
  async (text) => {
    await expect(loadConfig(write('turnward.yaml', text), {})).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringContaining('empty'),
    })
  },
)

test('no problem text ever shows a secret that was written into the file or came through a reference', async () => {
  const text = `
principals: { alice: {} }
credentials:
  a: { secret: plain-Secret-000, extra: 1 }
  b:
    secret:
      plain-Secret-111
    other: 1
keys:
  laptop: { principal: alcie, secret: plain-Secret-222-plain-Secret }
upstreams:
  x: { kind: "\${SECRET}", headers: { x-anything: plain-Secret-333 } }
servers:
  s:
    transport: http
    url: https://example.com
    headers:
      x-anything: plain-Secret-444\u00e9
  e:
    transport: stdio
    command: [a]
    env: { "1X": plain-Secret-555 }
  t: { transport: htttp, env: { X: plain-Secret-666 } }
`
  const error = await failure(write('turnward.yaml', text), { SECRET: 'plain-Secret-777' })
  expect(error.problems.length).toBeGreaterThanOrEqual(7)
  expect(`${error.text}${error.message}${JSON.stringify(error)}`).not.toContain('plain-Secret')
})

test.each([...connectionHeaders])(
  'the header %s cannot be configured, because the connection would refuse every request with it',
  async (name) => {
    const error = await failure(
      write('turnward.yaml', `servers: { s: { transport: http, url: "https://example.com", headers: { ${name.toUpperCase()}: a } } }`),
    )
    expect(error.text).toContain(`\`${name.toUpperCase()}\` is set by the connection and cannot be configured`)
  },
)

test('whatever is done to a file, it loads whole or is refused with positions inside it', async () => {
  write('key.txt', 'tw_key-from-a-file-0123456789\n')
  const edit = fc.record({
    at: fc.nat(complete.length),
    cut: fc.nat(12),
    text: fc.oneof(
      fc.constantFrom('{', '}', '[', ':', '- ', '\n', '"', '&a ', '*a', '!x ', '${', '$$', '#', '\t', '---\n'),
      fc.string({ maxLength: 6 }),
    ),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
      const text = edits.reduce((before, { at, cut, text: added }) => before.slice(0, at) + added + before.slice(at + cut), complete)
      const path = write('turnward.yaml', text)
      const outcome: unknown = await loadConfig(path, { KEY: 'provider-secret' }).catch((error: unknown) => error)
      if (!(outcome instanceof Error)) return
      if (!(outcome instanceof ConfigError)) throw outcome
      const lines = text.split('\n')
      expect(outcome.problems.length).toBeGreaterThan(0)
      for (const { line, column, message } of outcome.problems) {
        expect(line).toBeLessThanOrEqual(lines.length)
        expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1)
        expect(message).not.toBe('')
      }
    }),
    { numRuns: 300 },
  )
})
