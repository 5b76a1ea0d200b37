/** AWS’s server that runs any command of its CLI, `awslabs.aws-api-mcp-server`. */
import type { ContractPack } from '../pack.ts'
import { actsOutside, readsOwn } from './kinds.ts'

export const aws: ContractPack = {
  name: 'aws',
  version: 1,
  of: 'PyPI awslabs.aws-api-mcp-server',
  contracts: {
    call_aws: actsOutside(
      'Any command of the AWS CLI: it can change, copy or publish anything the role may, and logs and objects hold what strangers wrote.',
    ),
    suggest_aws_commands: readsOwn('Proposes commands out of AWS’s documentation; each is decided when it is called.'),
    get_execution_plan: readsOwn('Prescribed steps out of AWS’s own collection; each is decided when it is called.'),
  },
}
