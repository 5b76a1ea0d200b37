/**
 * The console: the files that were built into this package, as they are, and nothing else. What may be asked for is what lay in the
 * folder when its page was last asked for, so no path of a client ever reaches the file system; what is asked for is read then, and
 * not kept.
 */
import { readdir, readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join } from 'node:path'
import { TurnwardError } from '../core/error.ts'

/** Where the console is served, without the slash that its pages begin with. */
const base = '/console'
const startFile = 'index.html'
/** Names below it hold a digest of what is in the file. */
const hashed = 'assets/'

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
}

/** Everything from this origin, nothing inline, in no frame of anybody. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const notBuilt = `<!doctype html>
<html lang="en"><title>Turnward</title>
<h1>The console has not been built</h1>
<p>In a checkout, run <code>npm run build:console</code>, then load this page again. Everything the console does is at <code>/api</code> and in the command line as well.</p>
</html>
`

/** A way in, as the table of entrances has it. */
interface ConsoleEntrance {
  readonly path: string
  readonly methods: readonly string[]
  readonly needs: 'anyone'
  readonly handle: (request: IncomingMessage, response: ServerResponse, parameter: string) => Promise<void>
}

/** Anybody may load the pages: there is nothing in them but a client of the API, which asks who they are. */
export function consoleEntrances(folder: string): readonly ConsoleEntrance[] {
  let names: ReadonlySet<string> = new Set()
  const serve = async (request: IncomingMessage, response: ServerResponse, path: string): Promise<void> => {
    const isFile = (): boolean => names.has(path) && path !== startFile
    // Looked for anew: it may be built, or built again, while this runs, and its page then names other files.
    if (!isFile()) names = await filesOf(folder)
    if (!names.has(startFile)) return answer(response, 503, notBuilt, '.html', false)
    const name = isFile() ? path : isNavigation(request, path) ? startFile : undefined
    const bytes = name === undefined ? undefined : await readFile(join(folder, name)).catch(() => undefined)
    if (name === undefined || bytes === undefined)
      throw new TurnwardError('request.not_found', { subject: `${base}/${path}`.slice(0, 200) })
    answer(response, 200, bytes, extname(name), name.startsWith(hashed))
  }
  const entrance = (path: string, handle: ConsoleEntrance['handle']): ConsoleEntrance => ({
    path,
    methods: ['GET'],
    needs: 'anyone',
    handle,
  })
  return [
    entrance(base, async (_request, response) => {
      response.writeHead(308, { location: `${base}/`, 'content-length': 0 }).end()
    }),
    entrance(`${base}/`, (request, response) => serve(request, response, '')),
    entrance(`${base}/{page...}`, serve),
  ]
}

/** A browser that opens a page, and no script, style or image that is missing. */
function isNavigation({ headers }: IncomingMessage, path: string): boolean {
  if (path === '') return true
  if (path.startsWith(hashed)) return false
  const mode = headers['sec-fetch-mode']
  return mode === undefined ? headers.accept?.includes('text/html') === true : mode === 'navigate'
}

async function filesOf(folder: string): Promise<ReadonlySet<string>> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile() && mediaTypes[extname(entry.name)] !== undefined)
    return new Set(files.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)))
  } catch {
    return new Set()
  }
}

function answer(response: ServerResponse, status: number, body: string | Buffer, extension: string, isHashed: boolean): void {
  response
    .writeHead(status, {
      'content-type': mediaTypes[extension] ?? 'application/octet-stream',
      'content-length': Buffer.byteLength(body),
      'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
    })
    .end(body)
}
