/** What references stand for while a configuration is looked at that nobody has set the variables of yet. */
import { parseReferences, type Part } from '../../../config/references-in-text.ts'

export class Samples {
  readonly #values = new Map<string, string>()

  /** What a variable holds, or something of the kind it should hold. */
  set(name: string, value: string): void {
    this.#values.set(name, value)
  }

  of(name: string): string {
    return this.#values.get(name) ?? `a-value-for-${name.toLowerCase()}`.padEnd(32, '-').concat('x')
  }

  /** As an environment: for every name the text refers to. */
  environment(text: string): Readonly<Record<string, string>> {
    const names = [...text.matchAll(/(?:^|[^$])(?:\$\$)*\$\{([A-Za-z_]\w*)/gm)].map(([, name = '']) => name)
    return Object.fromEntries(names.map((name) => [name, this.of(name)]))
  }
}

/** The value with every reference in it replaced. */
export function sampled(value: unknown, samples: Samples): unknown {
  if (typeof value === 'string') {
    const parts = parseReferences(value)
    return 'problem' in parts ? value : parts.map((part) => valueOf(part, samples)).join('')
  }
  if (Array.isArray(value)) return value.map((item) => sampled(item, samples))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, sampled(inner, samples)]))
}

function valueOf(part: Part, samples: Samples): string {
  if (typeof part === 'string') return part
  return 'file' in part ? fileSample : samples.of(part.name)
}

/** What a file that is referred to holds. */
export const fileSample = 'the text of a file'
