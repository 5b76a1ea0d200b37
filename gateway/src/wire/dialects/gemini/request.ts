/** Views over a Gemini request. It refuses what it cannot read for certain, and leaves every field it has no need of alone. */
import { isObject, type JsonObject } from '../../../core/json.ts'
import type { MessageView, RequestView } from '../../dialect.ts'
import { invalid, isAbsent, readStream, requireArray, requireName, unsupported } from '../../request/fields.ts'
import { settleSpelling } from './spelling.ts'
import { checkToolConfig, readTools } from './tools.ts'
import { ContentReader, readSystem } from './views.ts'

/** Throws `request.invalid` or `request.unsupported` naming the field. `known`: views of contents left out of the body. */
export function readGeminiRequest(body: JsonObject, known: readonly MessageView[] = []): RequestView {
  settleSpelling(body)
  if (!isAbsent(body.generateContentRequest)) throw unsupported('generateContentRequest', 'it is not counted here', 'Send `contents`.')
  const candidates = isObject(body.generationConfig) ? body.generationConfig.candidateCount : undefined
  if (!isAbsent(candidates) && candidates !== 1)
    throw unsupported('generationConfig.candidateCount', 'one answer is asked for at a time here')
  checkToolConfig(body)
  const contents = requireArray(body.contents, 'contents')
  if (contents.length + known.length === 0) throw invalid('contents', 'it is empty')
  const reader = new ContentReader(known)
  for (const [index, content] of contents.entries()) reader.read(content, known.length + index)
  const system = readSystem(body.systemInstruction)
  return {
    model: requireName(body.model, 'model'),
    stream: readStream(body),
    messages: [...(system === undefined ? [] : [system]), ...reader.views],
    tools: readTools(body),
    wantsUsage: true,
    choices: 1,
  }
}
