/** A registry of npm packages on this machine: what a package manager asks, answered with packages made here. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

export interface PublishedPackage {
  readonly name: string
  readonly version: string
  /** Files by path; `package.json` is made. */
  readonly files: Readonly<Record<string, string>>
  /** The program it has, named like the package, and its file. */
  readonly bin: string
}

export interface NpmRegistry extends AsyncDisposable {
  /** Variables for a package manager that is to ask here. */
  readonly env: Readonly<Record<string, string>>
  /** The package file of a version, as the registry hands it out. */
  file(name: string, version: string): Buffer
}

const run = promisify(execFile)

/** The last version of each name is the newest. */
export async function startNpmRegistry(packages: readonly PublishedPackage[]): Promise<NpmRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'turnward-registry-'))
  const files = new Map<string, Buffer>()
  for (const one of packages) files.set(`${one.name}@${one.version}`, await packed(one, join(folder, `${files.size}`)))
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '/').slice(1)
    const file = files.get(path.replace(/^files\//, ''))
    if (file !== undefined) return void response.writeHead(200).end(file)
    const versions = packages.filter(({ name }) => name === path)
    const newest = versions.at(-1)
    if (newest === undefined) return void response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}')
    const documents = versions.map(({ name, version, bin }) => {
      const dist = {
        tarball: `${url}/files/${name}@${version}`,
        integrity: `sha512-${createHash('sha512')
          .update(files.get(`${name}@${version}`) ?? '')
          .digest('base64')}`,
      }
      return [version, { name, version, bin: { [name]: bin }, dist }]
    })
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ name: path, 'dist-tags': { latest: newest.version }, versions: Object.fromEntries(documents) }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    env: { npm_config_registry: url, npm_config_cache: join(folder, 'cache') },
    file: (name, version) => files.get(`${name}@${version}`) ?? Buffer.of(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function packed({ name, version, files, bin }: PublishedPackage, folder: string): Promise<Buffer> {
  const manifest = JSON.stringify({ name, version, type: 'module', bin: { [name]: bin } })
  for (const [path, text] of Object.entries({ ...files, 'package.json': manifest })) {
    const file = join(folder, 'package', path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  const tarball = join(folder, 'package.tgz')
  await run('tar', ['-czf', tarball, '-C', folder, 'package'])
  return readFile(tarball)
}
