/**
 * The frozen policy with a person behind it: what it refuses after strangers' words waits for an approval instead. Nothing else of it
 * changes, so that what a person adds is all that differs.
 */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

interface WrittenArgument {
  readonly from?: readonly string[]
  readonly after_untrusted?: readonly string[]
}

interface Written {
  readonly contracts: Readonly<
    Record<string, { readonly requires?: object; readonly args?: Readonly<Record<string, string | WrittenArgument>> }>
  >
  readonly rules?: readonly { readonly verdict: string }[]
}

/** `approver`: id of the principal who is asked. */
export function askingPolicy(file: string, approver: string): object {
  const { contracts, rules = [], ...rest } = parse(readFileSync(file, 'utf8')) as Written
  const approval = { instead_of: ['trust', 'audience', 'provenance'], from: [approver] }
  return {
    ...rest,
    contracts: Object.fromEntries(
      Object.entries(contracts).map(([name, contract]) => [
        name,
        contract.requires === undefined && contract.args === undefined
          ? contract
          : {
              ...contract,
              ...(contract.args === undefined ? {} : { args: endorsable(contract.args) }),
              requires: { ...contract.requires, approval },
            },
      ]),
    ),
    rules: rules.map((rule) => (rule.verdict === 'deny' ? { ...rule, verdict: 'escalate', from: [approver] } : rule)),
  }
}

/** What a person vouched for counts in the rest of the conversation: nobody is asked about the same value twice. */
function endorsable(args: Readonly<Record<string, string | WrittenArgument>>): object {
  const also = (sources: readonly string[]): readonly string[] => [...new Set([...sources, 'endorsed'])]
  return Object.fromEntries(
    Object.entries(args).map(([name, one]) => {
      if (typeof one === 'string') return [name, one]
      const { from, after_untrusted: after, ...rest } = one
      return [
        name,
        { ...rest, ...(from === undefined ? {} : { from: also(from) }), ...(after === undefined ? {} : { after_untrusted: also(after) }) },
      ]
    }),
  )
}
