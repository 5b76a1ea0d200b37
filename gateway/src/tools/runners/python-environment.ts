/**
 * A program of a Python environment or installation, and what it needs to be read: the environment, and the Python it was made
 * from. The interpreter of an environment is a link, and finds its packages by the place it was started at: it is never resolved away.
 */
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

export interface PythonProgram {
  /** Where it is started: in the environment, under its own name. */
  readonly executable: string
  /** Folders, and links to them, that have to be there. */
  readonly folders: readonly string[]
  /** Folders and files of packages that were installed where they are developed (`uv sync`, `pip install -e`). */
  readonly sources: readonly string[]
}

/** More links than any installation has; what goes round in circles ends here. */
const mostLinks = 16

/** More of them, and longer ones, than any environment has. */
const mostPathFiles = 200
const longestPathFile = 64 * 1024

/** Undefined when a path is no program of a Python environment (PEP 405: a `pyvenv.cfg` above the folder it lies in) or of an installation outside `/usr`. */
export function pythonProgram(path: string): PythonProgram | undefined {
  // A console script may be linked to from elsewhere, as `uv tool install` and `pipx` do.
  for (const candidate of [join(realpathSync(dirname(path)), basename(path)), realpathSync(path)]) {
    const environment = dirname(dirname(candidate))
    if (!existsSync(join(environment, 'pyvenv.cfg'))) continue
    return { executable: candidate, folders: [environment, ...baseOf(environment)], sources: sourcesOf(environment) }
  }
  const executable = realpathSync(path)
  const [installation] = installationAt(dirname(executable)).filter((folder) => !isSystems(folder))
  return installation === undefined ? undefined : { executable, folders: [installation], sources: sourcesOf(installation) }
}

const isSystems = (path: string): boolean => path === '/usr' || path.startsWith('/usr/')

/** Where the packages of an environment say that their code is: lines of its `.pth` files, and the finders of setuptools. */
function sourcesOf(environment: string): string[] {
  const library = join(environment, 'lib')
  if (!existsSync(library)) return []
  const packages = readdirSync(library).map((name) => join(library, name, 'site-packages'))
  const files = packages
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter(
      (path) => /\.pth$|\/__editable__.*_finder\.py$/.test(path) && lstatSync(path).isFile() && lstatSync(path).size <= longestPathFile,
    )
  const named = files.slice(0, mostPathFiles).flatMap((path) => {
    const lines = readFileSync(path, 'utf8').split('\n')
    if (path.endsWith('.pth')) return lines.map((line) => line.trim()).filter((line) => line.startsWith('/'))
    return lines
      .filter((line) => line.startsWith('MAPPING'))
      .flatMap((line) => [...line.matchAll(/'(\/[^']+)'/g)].map(([, found = '']) => found))
  })
  const outside = named.filter((path) => existsSync(path) && !isSystems(path)).map((path) => realpathSync(path))
  return [...new Set(outside)].filter((path) => !path.startsWith(`${environment}/`))
}

/** The installation an environment was made from: by what its settings say, and by where its interpreter leads, link by link. */
function baseOf(environment: string): string[] {
  const home = /^home\s*=\s*(.+?)\s*$/m.exec(readFileSync(join(environment, 'pyvenv.cfg'), 'utf8'))?.[1]
  const found = new Set<string>(home === undefined ? [] : installationAt(home))
  let path = join(environment, 'bin', 'python')
  for (let left = mostLinks; left > 0 && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true; left -= 1) {
    path = resolve(dirname(path), readlinkSync(path))
    if (dirname(path) === join(environment, 'bin') || !existsSync(path)) continue
    const installation = installationAt(dirname(path))
    // A link that lies among other programs is shown alone.
    for (const shown of installation.length > 0 ? installation : [path]) found.add(shown)
  }
  return [...found].filter((shown) => !isSystems(shown))
}

/** The folder above a `bin` that holds a standard library, as it is named and where it really is. */
function installationAt(bin: string): string[] {
  const prefix = dirname(bin)
  const library = join(prefix, 'lib')
  // The system's own is in every sandbox.
  if (prefix === '/' || !existsSync(library)) return []
  const isInstallation = readdirSync(library).some((name) => name.startsWith('python') && existsSync(join(library, name, 'os.py')))
  return isInstallation ? [prefix, realpathSync(prefix)] : []
}
