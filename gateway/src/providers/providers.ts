/** The table of providers by upstream kind. A new vendor is a new folder and one line here. */
import { anthropic } from './anthropic/anthropic.ts'
import { bedrock } from './bedrock/bedrock.ts'
import { azure } from './azure/azure.ts'
import { gemini } from './gemini/gemini.ts'
import { openaiCompatible } from './openai-compatible/openai-compatible.ts'
import { openai } from './openai/openai.ts'
import { presetProviders } from './presets/presets.ts'
import type { Provider, UpstreamKind } from './provider.ts'
import { scripted } from './scripted/scripted.ts'
import { vertex } from './vertex/vertex.ts'

export const providers: Readonly<Record<UpstreamKind, Provider>> = {
  openai,
  anthropic,
  'openai-compatible': openaiCompatible,
  bedrock,
  azure,
  gemini,
  vertex,
  ...presetProviders,
  scripted,
}
