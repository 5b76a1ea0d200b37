/** The kind `azure-content-safety`: categories and block lists (`text:analyze`), and attacks on prompts (`text:shieldPrompt`). */
import type { GuardConfig } from '@turnward/contract/config'
import type { Guard } from '../../../config/snapshot.ts'
import { asText, isObject } from '../../../core/json.ts'
import { objectsOf } from '../../../wire/request/fields.ts'
import { type Examiner, kindsOf, ServiceFailure, type ShownText } from '../examiner.ts'
import type { Asking } from '../examiner.ts'
import type { Side } from '../what-guards-read.ts'
import { askService } from './asking-service.ts'

type AzureConfig = Extract<GuardConfig, { kind: 'azure-content-safety' }>

const keyHeader = 'ocp-apim-subscription-key'
/** Characters of one text, and of one prompt with its documents. */
const mostAtOnce = 9_000

export function examineByAzure(config: AzureConfig, guard: Guard): Examiner {
  return {
    most: mostAtOnce,
    async examine(side, texts, asking) {
      const found = await Promise.all([
        analyse(config, guard, texts, asking),
        ...(config.shield ? [shield(config, guard, side, texts, asking)] : []),
      ])
      return { found: kindsOf(found.flat()) }
    },
  }
}

async function analyse(config: AzureConfig, guard: Guard, texts: readonly ShownText[], asking: Asking): Promise<readonly string[]> {
  const { categoriesAnalysis, blocklistsMatch } = await askService(asking, guard, {
    path: `/contentsafety/text:analyze?api-version=${config.api_version}`,
    body: {
      text: texts.map(({ text }) => text).join('\n'),
      categories: config.categories,
      outputType: 'FourSeverityLevels',
      ...(config.blocklists.length === 0 ? {} : { blocklistNames: config.blocklists }),
    },
    keyHeader,
  })
  const severities = new Map(objectsOf(categoriesAnalysis).map(({ category, severity }) => [category, severity]))
  const severe = config.categories.filter((category) => {
    const severity = severities.get(category)
    if (typeof severity !== 'number') throw new ServiceFailure(`it says nothing of ${category}`)
    return severity >= config.severity
  })
  return [...severe, ...objectsOf(blocklistsMatch).map(({ blocklistName }) => `blocklist ${asText(blocklistName)}`)]
}

async function shield(
  config: AzureConfig,
  guard: Guard,
  side: Side,
  texts: readonly ShownText[],
  asking: Asking,
): Promise<readonly string[]> {
  if (side === 'output') return []
  const isDocument = ({ place }: ShownText): boolean => place === 'tool_result' || place === 'tools'
  const { userPromptAnalysis, documentsAnalysis } = await askService(asking, guard, {
    path: `/contentsafety/text:shieldPrompt?api-version=${config.api_version}`,
    body: {
      userPrompt: texts
        .filter((text) => !isDocument(text))
        .map(({ text }) => text)
        .join('\n'),
      documents: texts.filter(isDocument).map(({ text }) => text),
    },
    keyHeader,
  })
  if (!isObject(userPromptAnalysis) && !Array.isArray(documentsAnalysis)) throw new ServiceFailure('its answer has no analysis')
  const prompt = isObject(userPromptAnalysis) && userPromptAnalysis.attackDetected === true ? ['prompt attack'] : []
  return [...prompt, ...(objectsOf(documentsAnalysis).some(({ attackDetected }) => attackDetected === true) ? ['document attack'] : [])]
}
