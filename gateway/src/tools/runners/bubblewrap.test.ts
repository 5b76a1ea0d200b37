/** The sandbox against a server that tries to get out: every test starts a real one. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, describe, expect, test } from 'vitest'
import { silentLogger } from '../../core/logger.ts'
import { createBubblewrapRunner } from './bubblewrap.ts'
import { detectCgroups } from './cgroup.ts'
import {
  firstLine,
  freshFolder,
  removeFolders,
  processesWith,
  recordingLogger,
  runCode,
  startCode,
  stdioServer,
} from './sandbox.fixture.ts'

afterAll(removeFolders)

const runner = createBubblewrapRunner({ nodePath: process.execPath })
const missing = await runner.available()
const cgroups = detectCgroups()
const isZoneLink = lstatSync('/etc/localtime', { throwIfNoEntry: false })?.isSymbolicLink() === true
if (missing !== undefined) console.warn(`sandbox tests are skipped: ${missing}`)
const attempt = (expression: string) =>
  `await (async () => { try { return String(await (${expression})) } catch (error) { return error.code ?? error.message } })()`

describe.skipIf(missing !== undefined)('a sandboxed server', () => {
  test('sees neither files of the host nor other processes, nor accounts', async () => {
    const secret = join(freshFolder(), 'secret.txt')
    writeFileSync(secret, 'secret')
    const code = `
      import fs from 'node:fs'
      const read = (path) => { try { return fs.readFileSync(path, 'utf8') } catch (error) { return error.code } }
      const list = (path) => { try { return fs.readdirSync(path) } catch (error) { return error.code } }
      console.log(JSON.stringify({
        secret: read(${JSON.stringify(secret)}), shadow: read('/etc/shadow'), keys: list('/etc/ssl/private'), root: list('/root'), tmp: list('/tmp'),
        home: list('/home'), sys: list('/sys'), passwd: read('/etc/passwd').split('\\n').length - 1, pids: list('/proc').filter((name) => /^\\d+$/.test(name)).length, hostname: (await import('node:os')).hostname(),
      }))`
    const { out, err } = await runCode(runner, code)
    expect(err).toBe('')
    expect(JSON.parse(out)).toEqual({
      secret: 'ENOENT',
      shadow: 'ENOENT',
      keys: 'ENOENT',
      root: 'ENOENT',
      tmp: [],
      home: ['sandbox'],
      sys: 'ENOENT',
      passwd: 1,
      pids: 2,
      hostname: 'sandbox',
    })
  })

  test('gets only the environment its configuration lists', async () => {
    process.env.TURNWARD_TEST_SECRET = 'host-only'
    try {
      const { out } = await runCode(runner, 'console.log(JSON.stringify(process.env))', { env: { API_TOKEN: 'listed' } })
      const env = JSON.parse(out) as Record<string, string>
      expect(Object.keys(env).sort()).toEqual(['API_TOKEN', 'HOME', 'LANG', 'PATH', 'PROBE_TOKEN', 'PWD', 'TMPDIR'])
      expect(env.API_TOKEN).toBe('listed')
    } finally {
      delete process.env.TURNWARD_TEST_SECRET
    }
  })

  test('has the time zone of the host by name, and that of the gateway where it has its own', async () => {
    const code = 'console.log(Intl.DateTimeFormat().resolvedOptions().timeZone)'
    const host = execFileSync(process.execPath, ['-p', 'Intl.DateTimeFormat().resolvedOptions().timeZone'], { encoding: 'utf8', env: {} })
    expect((await runCode(runner, code)).out).toBe(host)
    const elsewhere = createBubblewrapRunner({ nodePath: process.execPath, timeZone: 'Asia/Tokyo' })
    expect((await runCode(elsewhere, code)).out).toBe('Asia/Tokyo\n')
    expect((await runCode(elsewhere, code, { env: { TZ: 'Europe/Lisbon' } })).out).toBe('Europe/Lisbon\n')
  })

  test.skipIf(!isZoneLink)('knows the time zone by where the link of the host leads', async () => {
    const { out } = await runCode(runner, `import fs from 'node:fs'; console.log(fs.readlinkSync('/etc/localtime'))`)
    expect(out.trim()).toBe(resolve('/etc', readlinkSync('/etc/localtime')))
  })

  test('shows no value of its environment on any command line of the host', async () => {
    const { running } = await startCode(runner, `console.log('up'); setInterval(() => {}, 1000)`, {
      env: { API_TOKEN: 'value-never-on-a-command-line' },
    })
    await firstLine(running)
    const lines = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
        } catch {
          return ''
        }
      })
    await running.stop(0)
    expect(lines.some((line) => line.includes('bwrap'))).toBe(true)
    expect(lines.filter((line) => line.includes('value-never-on-a-command-line'))).toEqual([])
  })

  test('has no capability, cannot gain one, and is not root inside', async () => {
    const { out } = await runCode(
      runner,
      `
      import fs from 'node:fs'
      const status = fs.readFileSync('/proc/self/status', 'utf8')
      console.log(JSON.stringify([process.getuid() > 0, process.getgid() > 0, /CapEff:\\s*0+\\n/.test(status), /CapPrm:\\s*0+\\n/.test(status), /NoNewPrivs:\\s*1/.test(status)]))`,
    )
    expect(JSON.parse(out)).toEqual([true, true, true, true, true])
  })

  test('reaches no network, not even a listener on the loopback of the host', async () => {
    const host = createTcpServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    await once(host, 'listening')
    const { port } = host.address() as AddressInfo
    const { out } = await runCode(
      runner,
      `
      import net from 'node:net'
      const dial = (port, host) => new Promise((resolve, reject) => net.connect(port, host).once('connect', () => resolve('connected')).once('error', reject))
      console.log(JSON.stringify([${attempt(`dial(${port}, '127.0.0.1')`)}, ${attempt(`dial(80, '169.254.169.254')`)}, ${attempt(`dial(443, '1.1.1.1')`)}]))
      process.exit()`,
    )
    host.close()
    expect(JSON.parse(out)).toEqual(['ECONNREFUSED', 'ENETUNREACH', 'ENETUNREACH'])
  })

  test('writes to its home and tmp, and nowhere else', async () => {
    const { out } = await runCode(
      runner,
      `
      import fs from 'node:fs'
      const write = (path) => { try { fs.writeFileSync(path, 'x'); return 'ok' } catch (error) { return error.code } }
      console.log(JSON.stringify(Object.fromEntries(['/x', '/usr/x', '/etc/x', '/dev/x', '/opt/turnward/x', process.env.HOME + '/x', '/tmp/x'].map((path) => [path, write(path)]))))`,
    )
    const written = JSON.parse(out) as Record<string, string>
    expect(
      Object.entries(written)
        .filter(([, result]) => result === 'ok')
        .map(([path]) => path),
    ).toEqual(['/home/sandbox/x', '/tmp/x'])
  })

  test('reads a mount, and writes it only when the mount says so', async () => {
    const base = freshFolder()
    for (const name of ['read', 'write']) {
      mkdirSync(join(base, name))
      writeFileSync(join(base, name, 'a.txt'), name)
    }
    const { out } = await runCode(
      runner,
      `
      import fs from 'node:fs'
      const attempt = (run) => { try { return run() } catch (error) { return error.code } }
      console.log(JSON.stringify([
        attempt(() => fs.readFileSync('${base}/read/a.txt', 'utf8')), attempt(() => fs.writeFileSync('${base}/read/b.txt', 'x')),
        attempt(() => fs.writeFileSync('${base}/write/b.txt', 'written') ?? 'ok'),
        attempt(() => fs.openSync('/proc/sys/kernel/core_pattern', 'r+')), attempt(() => fs.openSync('/proc/self/oom_score_adj', 'r+')),
      ]))`,
      { mounts: [{ path: join(base, 'read') }, { path: join(base, 'write'), write: true }] },
    )
    // The folder belongs to root here, so the server does too, outside: settings of the machine must still be closed.
    const closed = expect.stringMatching(/^(?:EROFS|EACCES)$/) as string
    expect(JSON.parse(out)).toEqual(['read', 'EROFS', 'ok', closed, closed])
    expect(readFileSync(join(base, 'write', 'b.txt'), 'utf8')).toBe('written')
  })

  test.skipIf(process.getuid?.() !== 0)('writes a mount of an ordinary user as that user', async () => {
    const folder = freshFolder()
    chownSync(folder, 4321, 4321)
    const { out } = await runCode(
      runner,
      `import fs from 'node:fs'; fs.writeFileSync('${folder}/made', 'x'); console.log(fs.statSync('${folder}/made').uid)`,
      { mounts: [{ path: folder, write: true }] },
    )
    expect(out).toBe('4321\n')
  })

  test('cannot make a user namespace of its own when it runs as a mapped root', async () => {
    const folder = freshFolder()
    const { out } = await runCode(
      runner,
      `import { spawnSync } from 'node:child_process'; console.log(spawnSync('unshare', ['-U', 'true']).status)`,
      { mounts: [{ path: folder, write: true }] },
    )
    expect(out).toBe('1\n')
    // Twice: by the filter, and by the namespace it runs in.
    const mapped = stdioServer(['node', '-e', '0'], { mounts: [{ path: folder, write: true }] })
    expect(runner.describe({ server: mapped, workDir: '/nowhere/work', logger: silentLogger })).toContain('--disable-userns')
  })

  test('does not see the data folder even when its code lies around it', async () => {
    const project = freshFolder()
    chmodSync(project, 0o755)
    mkdirSync(join(project, 'node_modules', 'server', 'data'), { recursive: true })
    writeFileSync(join(project, 'node_modules', 'server', 'data', 'key'), 'secret')
    writeFileSync(join(project, 'turnward.yaml'), 'secret')
    const entry = join(project, 'node_modules', 'server', 'index.mjs')
    writeFileSync(
      entry,
      `import fs from 'node:fs'; console.log(JSON.stringify([fs.readdirSync('${project}'), (() => { try { return fs.readdirSync('${project}/node_modules/server/data') } catch (error) { return [] } })()]))`,
    )
    const own = createBubblewrapRunner({
      nodePath: process.execPath,
      protect: [join(project, 'node_modules', 'server', 'data'), join(project, 'turnward.yaml')],
    })
    const running = await own.start({ server: stdioServer(['node', entry]), workDir: join(freshFolder(), 'work'), logger: silentLogger })
    expect(JSON.parse(await firstLine(running))).toEqual([['node_modules'], []])
    await running.ended
  })

  test('a mount that overlaps the data folder is refused before anything starts', async () => {
    const project = freshFolder()
    mkdirSync(join(project, 'data'))
    const own = createBubblewrapRunner({ nodePath: process.execPath, protect: [join(project, 'data')] })
    for (const path of [project, join(project, 'data'), '/', '/proc/self', '/etc', '/does/not/exist', 'relative']) {
      await expect(
        own.start({
          server: stdioServer(['node', '-e', '0'], { mounts: [{ path }] }),
          workDir: join(freshFolder(), 'work'),
          logger: silentLogger,
        }),
      ).rejects.toMatchObject({ code: 'config.invalid' })
    }
  })

  test('reaches a listed address through the proxy only, and no other', async () => {
    const web = createServer((_request, response) => response.end('hello from the host')).listen(0, '127.0.0.1')
    const other = createServer((_request, response) => response.end('never')).listen(0, '127.0.0.1')
    await Promise.all([once(web, 'listening'), once(other, 'listening')])
    const listed = (web.address() as AddressInfo).port
    const unlisted = (other.address() as AddressInfo).port
    const code = `
      import net from 'node:net'
      import http from 'node:http'
      const viaFetch = (url) => fetch(url).then(async (response) => response.status + ' ' + (await response.text()).slice(0, 19))
      const viaHttp = (url) => new Promise((resolve, reject) => http.get(url, (response) => response.setEncoding('utf8').on('data', (text) => resolve(response.statusCode + ' ' + text.slice(0, 19)))).on('error', reject))
      const direct = (port) => new Promise((resolve, reject) => net.connect(port, '127.0.0.1').once('connect', () => resolve('connected')).once('error', reject))
      console.log(JSON.stringify([
        ${attempt(`viaFetch('http://127.0.0.1:${listed}/')`)}, ${attempt(`viaHttp('http://127.0.0.1:${listed}/')`)},
        ${attempt(`viaHttp('http://127.0.0.1:${unlisted}/')`)}, ${attempt(`viaHttp('http://localhost:${listed}/')`)}, ${attempt(`direct(${listed})`)},
      ]))
      process.exit()`
    const { out, err, lines } = await runCode(runner, code, { network: [`127.0.0.1:${listed}`] })
    web.close()
    other.close()
    expect(err).toBe('')
    const [byFetch, byHttp, wrongPort, wrongName, direct] = JSON.parse(out) as string[]
    expect(byFetch).toBe('200 hello from the host')
    expect(byHttp).toBe('200 hello from the host')
    expect(wrongPort).toMatch(/^403/)
    expect(wrongName).toMatch(/^403/)
    expect(direct).toBe('ECONNREFUSED')
    expect(lines.filter(({ message }) => message.startsWith('refused a connection')).map(({ fields }) => fields.why)).toEqual([
      'the port is not listed in `network`',
      'the host is not listed in `network`',
    ])
  })

  test('is killed when it takes more memory than it may, buffers included', async () => {
    const { out, ended } = await runCode(
      runner,
      `const held = []; for (let i = 0; i < 60; i++) { held.push(Buffer.alloc(32 << 20, 1)); console.log(i) }; console.log('survived')`,
      { limits: { memory_mb: 300 } },
    )
    expect(out).not.toContain('survived')
    expect(ended).toEqual(expect.stringMatching(cgroups === undefined ? /^(memory limit|signal SIGABRT)$/ : /^memory limit$/))
  })

  test('a fork bomb stays within its limit, and ends with the server', async () => {
    const bomb = `
      import { execFileSync, spawn } from 'node:child_process'
      let made = 0
      const one = () => new Promise((resolve) => { try { const child = spawn('sleep', ['1000']); child.once('error', () => resolve(false)); child.once('spawn', () => { made += 1; resolve(true) }) } catch { resolve(false) } })
      while (made < 500 && await one());
      console.log(made)
      setInterval(() => {}, 1000)`
    const { running, token } = await startCode(runner, bomb, { limits: { processes: 64 } })
    const made = Number(await firstLine(running))
    expect(made).toBeGreaterThan(5)
    expect(made).toBeLessThan(64)
    expect(processesWith(token).length).toBeLessThanOrEqual(70)
    await running.stop(0)
    expect(processesWith(token)).toEqual([])
  })

  test.skipIf(cgroups === undefined)('a fork bomb of a mapped root is bounded by the cgroup', async () => {
    const { running, token } = await startCode(
      runner,
      `
      import { execFileSync, spawn } from 'node:child_process'
      let made = 0
      const one = () => new Promise((resolve) => { try { const child = spawn('sleep', ['1000']); child.once('error', () => resolve(false)); child.once('spawn', () => { made += 1; resolve(true) }) } catch { resolve(false) } })
      while (made < 500 && await one());
      console.log(made)
      setInterval(() => {}, 1000)`,
      { limits: { processes: 64 }, mounts: [{ path: freshFolder(), write: true }] },
    )
    expect(Number(await firstLine(running))).toBeLessThan(64)
    await running.stop(0)
    expect(processesWith(token)).toEqual([])
  })

  test('leaves no grandchild behind when it ends by itself', async () => {
    const { ended, token, workDir } = await runCode(
      runner,
      `
      import { execFileSync, spawn } from 'node:child_process'
      const child = spawn('setsid', ['sleep', '1000'], { detached: true, stdio: 'ignore' })
      child.unref()
      child.once('spawn', () => process.exit(3))`,
    )
    expect(ended).toBe('exit 3')
    expect(processesWith(token)).toEqual([])
    expect(existsSync(workDir)).toBe(false)
  })

  test('stop asks first, so a server may end in order', async () => {
    const { running } = await startCode(
      runner,
      `process.on('SIGTERM', () => process.exit(7)); console.log('up'); setInterval(() => {}, 1000)`,
    )
    await firstLine(running)
    await running.stop(20_000)
    expect(await running.ended).toBe('exit 7')
  })

  test('stop kills a server that ignores being asked, and its cgroup and folder go too', async () => {
    const { running, token, workDir } = await startCode(
      runner,
      `process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)`,
    )
    await firstLine(running)
    expect(processesWith(token).length).toBeGreaterThan(0)
    await running.stop(50)
    expect(await running.ended).toBe('signal SIGKILL')
    expect(processesWith(token)).toEqual([])
    expect(existsSync(workDir)).toBe(false)
    expect(cgroupsOf(process.pid)).toEqual([])
  })

  test('dies with a gateway that is killed', async () => {
    const workDir = join(freshFolder(), 'work')
    const gateway = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `
      import { createBubblewrapRunner } from ${JSON.stringify(new URL('./bubblewrap.ts', import.meta.url).href)}
      import { stdioServer, firstLine } from ${JSON.stringify(new URL('./sandbox.fixture.ts', import.meta.url).href)}
      import { silentLogger } from ${JSON.stringify(new URL('../../core/logger.ts', import.meta.url).href)}
      const server = stdioServer(['node', '-e', 'console.log("up"); setInterval(() => {}, 1000)'], { env: { PROBE_TOKEN: 'dies-with-${process.pid}' } })
      const running = await createBubblewrapRunner({ nodePath: process.execPath }).start({ server, workDir: ${JSON.stringify(workDir)}, logger: silentLogger })
      console.log(await firstLine(running))
      setInterval(() => {}, 1000)`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    await once(gateway.stdout, 'data')
    expect(processesWith(`dies-with-${process.pid}`).length).toBeGreaterThan(0)
    gateway.kill('SIGKILL')
    await expect.poll(() => processesWith(`dies-with-${process.pid}`)).toEqual([])
    // The next gateway clears away what the killed one could not.
    await expect.poll(() => (detectCgroups(), cgroupsOf(gateway.pid ?? 0))).toEqual([])
  })

  test.skipIf(process.getuid?.() !== 0)('holds for a gateway that is an ordinary user, without cgroups', async () => {
    const folder = freshFolder()
    chownSync(folder, 4321, 4321)
    // Not below the mount, which may not overlap it; not below a folder only root may enter.
    const own = join('/tmp', `turnward-own-${process.pid}`)
    const code = `
      import fs from 'node:fs'
      import { execFileSync, spawn } from 'node:child_process'
      let made = 0
      const one = () => new Promise((resolve) => { try { const child = spawn('sleep', ['1000']); child.once('error', () => resolve(false)); child.once('spawn', () => { made += 1; resolve(true) }) } catch { resolve(false) } })
      while (made < 200 && await one());
      fs.writeFileSync('${folder}/made', 'x')
      console.log(JSON.stringify([made, process.getuid(), fs.existsSync('${import.meta.filename}'), fs.statSync('${folder}/made').uid]))
      setInterval(() => {}, 1000)`
    const gateway = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `
      import { createBubblewrapRunner } from ${JSON.stringify(new URL('./bubblewrap.ts', import.meta.url).href)}
      import { stdioServer, firstLine } from ${JSON.stringify(new URL('./sandbox.fixture.ts', import.meta.url).href)}
      import { silentLogger } from ${JSON.stringify(new URL('../../core/logger.ts', import.meta.url).href)}
      const server = stdioServer(['node', '--input-type=module', '-e', ${JSON.stringify(code)}], { limits: { processes: 64 }, mounts: [{ path: '${folder}', write: true }] })
      const running = await createBubblewrapRunner({ nodePath: process.execPath }).start({ server, workDir: '${own}', logger: silentLogger })
      console.log(await firstLine(running))
      await running.stop(0)
      console.log(await running.ended)`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], uid: 4321, gid: 4321, env: { PATH: process.env.PATH ?? '' } },
    )
    let out = ''
    for await (const chunk of gateway.stdout) out += String(chunk)
    const [seen = '', ended] = out.trim().split('\n')
    const [made, uid, visible, owner] = JSON.parse(seen) as [number, number, boolean, number]
    expect(made).toBeGreaterThan(5)
    expect(made).toBeLessThan(64)
    expect([uid, visible, owner, ended]).toEqual([1000, false, 1000, 'signal SIGKILL'])
  })

  test('a command that cannot run says so, and nothing is left', async () => {
    const start = (command: string[]) =>
      runner.start({ server: stdioServer(command), workDir: join(freshFolder(), 'work'), logger: silentLogger })
    await expect(start(['no-such-program'])).rejects.toMatchObject({ code: 'mcp.server_unavailable' })
    await expect(start(['npx', '-y', 'some-server'])).rejects.toMatchObject({
      code: 'mcp.server_unavailable',
      fix: expect.stringContaining('turnward servers add npm:some-server'),
    })
  })

  test('describe shows the command line without values of the environment', () => {
    const line = runner
      .describe({ server: stdioServer(['node', '-e', '0'], { env: { TOKEN: 'hush' } }), workDir: '/nowhere/work', logger: silentLogger })
      .join(' ')
    expect(line).toContain('--die-with-parent')
    expect(line).not.toContain('hush')
  })

  test.each([
    ['server-filesystem', 'list_directory'],
    ['server-memory', 'read_graph'],
  ])('the published %s answers initialize and tools/list', async (name, tool) => {
    const folder = freshFolder()
    const entry = join(import.meta.dirname, '../../../../node_modules/@modelcontextprotocol', name, 'dist/index.js')
    const server = stdioServer(['node', entry, ...(name === 'server-filesystem' ? [folder] : [])], {
      mounts: [{ path: folder }],
      env: name === 'server-memory' ? { MEMORY_FILE_PATH: '/home/sandbox/memory.jsonl' } : {},
    })
    const { logger } = recordingLogger()
    const running = await runner.start({ server, workDir: join(freshFolder(), 'work'), logger })
    running.stderr.resume()
    const answers = createInterface({ input: running.stdout })[Symbol.asyncIterator]()
    const call = async (message: object) => {
      running.stdin.write(`${JSON.stringify(message)}\n`)
      return JSON.parse((await answers.next()).value as string) as { result: Record<string, unknown> }
    }
    const initialized = await call({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '0' } },
    })
    expect(initialized.result).toHaveProperty('serverInfo')
    running.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`)
    const listed = await call({ jsonrpc: '2.0', id: 2, method: 'tools/list' })
    expect((listed.result.tools as { name: string }[]).map((entry) => entry.name)).toContain(tool)
    await running.stop(5000)
  })
})

/** Folders of cgroups a gateway with this pid made. */
function cgroupsOf(pid: number): string[] {
  if (!existsSync('/sys/fs/cgroup')) return []
  return readdirSync('/sys/fs/cgroup', { recursive: true })
    .map(String)
    .filter((path) => path.includes(`/turnward-${pid}-`) && !path.includes('.'))
}
