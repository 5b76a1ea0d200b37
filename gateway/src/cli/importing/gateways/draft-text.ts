/** The configuration that was made, as the text of a file. */
import { Document, isCollection, isMap, isSeq, visit } from 'yaml'
import { attemptLoad } from '../../../config/load.ts'
import { ConfigError } from '../../../config/problems.ts'
import { fileSample, type Samples } from './samples.ts'

/** `title`: whose configuration it was; `file`: the name of its file. */
export function draftText(config: Readonly<Record<string, unknown>>, title: string, file: string): string {
  const name = file.replaceAll(/[^\w.-]/g, '_').slice(0, 100)
  const sections = Object.entries(config).map(([section, value]) => sectionText({ [section]: value }))
  return [
    `# Made by \`turnward import\` from ${name} of ${title}. What it says of the values there that mean something else here, or stand\n# nowhere, is as much a part of the import as this file.\n`,
    ...sections,
  ].join('\n')
}

function sectionText(section: object): string {
  const document = new Document(section, { aliasDuplicateObjects: false })
  visit(document, {
    Collection: (_key, collection, path) => {
      const depth = path.filter(isCollection).length
      // A section, its entries, and a list of things in it are blocks; a thing is one line.
      collection.flow = depth > 2 || (depth === 2 && !(isSeq(collection) && collection.items.some(isMap)))
    },
  })
  return document.toString({ lineWidth: 0 })
}

/** Why the gateway would not take the text, in words that show no value of a variable; undefined when it would. */
export async function whyNotTaken(text: string, samples: Samples): Promise<string | undefined> {
  const main = '/turnward.yaml'
  const { outcome } = await attemptLoad(main, samples.environment(text), [], {
    text: async (path) => (path === main ? text : fileSample),
    names: async () => undefined,
    isFolder: async () => false,
    realPath: async (path) => path,
  })
  return outcome instanceof ConfigError ? (outcome.problems[0]?.message ?? outcome.message) : undefined
}
