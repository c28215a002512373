// Reads the AsyncAPI document that is named as the argument, and says what is wrong with it.
const { readFileSync } = require('node:fs');
const { Parser } = require('@asyncapi/parser');

const severities = ['error', 'warning', 'information', 'hint'];

async function main() {
  const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], 'utf8'));
  for (const { severity, path, message } of diagnostics) {
    console.log(`${severities[severity]}: /${path.join('/')}: ${message}`);
  }
  if (!document || diagnostics.some(({ severity }) => severity === 0)) {
    process.exitCode = 1;
    return;
  }
  console.log(`valid AsyncAPI ${document.version()}: ${document.channels().all().length} channels, ` +
    `${document.operations().all().length} operations`);
}

main();
