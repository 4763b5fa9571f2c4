import { keepsOperatorContract } from '../support/contract.js';
import { operators } from './operators.js';

for (const [name, modes] of Object.entries(operators))
  for (const [mode, create] of Object.entries(modes)) keepsOperatorContract(`${name}, ${mode},`, create);
