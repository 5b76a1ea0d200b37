/** Answers those who bring files, ask for them, and delete them. Nobody learns of another caller's. */
import { TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Dialect } from '../../wire/dialect.ts'
import type { KeptFiles } from '../../wire/kept-files.ts'
import { readForm } from '../../wire/request/form.ts'
import { answerCaller } from '../keeping/answering-caller.ts'
import { decoded, notThere, type KeptQuestion } from '../keeping/kept-questions.ts'
import { sendContent } from '../keeping/sending-content.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import type { Services } from '../services.ts'
import { findFile, keepFile, listFiles, readFile, removeFile, type FileKeeper, type FoundFile } from './file-store.ts'

interface Asked {
  readonly keeper: FileKeeper
  readonly origin: CallOrigin
  readonly forms: KeptFiles
  readonly id: string
  readonly query: URLSearchParams
}

type Answers = Readonly<Record<string, (asked: Asked) => Promise<JsonObject | undefined>>>

/** What can be asked, by method: of all of them, of one, of its content. */
const ofAll: Answers = { GET: list, POST: upload }
const ofOne: Answers = { GET: async (asked) => asked.forms.shown(await required(asked)), DELETE: remove }
const ofContent: Answers = { GET: send }

/** Never rejects. */
export function answerFiles(gateway: Services, origin: CallOrigin, dialect: Dialect, question: KeptQuestion): Promise<void> {
  return answerCaller(gateway, origin, dialect, async (keeper) => {
    const { method, target, query } = question
    const forms = requireForms(keeper, dialect)
    const [id = '', part = '', ...more] = target.split('/')
    if (more.length > 0 || (part !== '' && part !== 'content')) throw notThere(target)
    const answers = id === '' ? ofAll : part === '' ? ofOne : ofContent
    const answer = method === 'HEAD' ? answers['GET'] : answers[method]
    if (answer === undefined) throw new TurnwardError('request.method', { subject: method })
    return answer({ keeper, origin, forms, id: decoded(id), query: new URLSearchParams(query) })
  })
}

function requireForms({ snapshot }: FileKeeper, { files, name }: Dialect): KeptFiles {
  if (files === undefined)
    throw new TurnwardError('request.unsupported', {
      subject: '/v1/files',
      why: `clients of ${name} keep no files here`,
      fix: 'Send files in the request itself.',
    })
  if (!snapshot.settings.files.keep)
    throw new TurnwardError('request.unsupported', {
      subject: '/v1/files',
      why: 'nothing is kept here (`files.keep`)',
      fix: 'Send files in the request itself.',
    })
  return files
}

/** What a form has around its file. */
const formBytes = 64 * 1024

async function upload({ keeper, origin, forms }: Asked): Promise<JsonObject> {
  const { limits, files } = keeper.snapshot.settings
  const tooLarge = (cause?: unknown): TurnwardError =>
    new TurnwardError('request.too_large', {
      subject: 'file',
      why: `more than ${files.max_bytes} bytes`,
      fix: 'Send a smaller file, or raise `files.max_bytes`.',
      cause,
    })
  const bytes = await origin.body({ ...limits, max_body_bytes: files.max_bytes + formBytes }).catch((error: unknown) => {
    throw error instanceof TurnwardError && error.code === 'request.too_large' ? tooLarge(error) : error
  })
  const { content, ...file } = forms.upload(await readForm(bytes, origin.headers['content-type']))
  if (content.size > files.max_bytes) throw tooLarge()
  if (content.size === 0) throw new TurnwardError('request.invalid', { subject: 'file', why: 'it is empty' })
  return forms.shown(await keepFile(keeper, { ...file, id: `${forms.idPrefix}${randomText(24)}` }, content.stream(), content.size))
}

async function list({ keeper, forms, query }: Asked): Promise<JsonObject> {
  return forms.page(await listFiles(keeper), query)
}

async function remove(asked: Asked): Promise<JsonObject> {
  await removeFile(asked.keeper, await required(asked))
  return asked.forms.deleted(asked.id)
}

async function send(asked: Asked): Promise<undefined> {
  const file = await required(asked)
  // Whatever it is, no browser shall take it for a page of ours.
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': file.bytes,
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`,
    'x-content-type-options': 'nosniff',
  }
  await sendContent(asked.origin, headers, readFile(asked.keeper, file))
}

async function required({ keeper, id }: Asked): Promise<FoundFile> {
  const file = await findFile(keeper, id)
  if (file === undefined) throw new TurnwardError('file.not_found')
  return file
}
