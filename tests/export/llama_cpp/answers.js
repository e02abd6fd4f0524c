// node answers.js CASES MODEL.gguf …: llama.cpp's greedy answers to prompts, as token ids, and its ids of texts.
import { readFileSync } from "node:fs";
import { getLlama, LlamaLogLevel } from "node-llama-cpp";

const EOS = 50256;
const [casesPath, ...files] = process.argv.slice(2);
const { prompts, texts, maxNewTokens, contextSize } = JSON.parse(readFileSync(casesPath, "utf8"));
const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error });

async function answer(context, prompt) {
  const sequence = context.getSequence();
  const ids = [];
  for await (const token of sequence.evaluate(prompt, { temperature: 0 })) {
    if (token === EOS || ids.push(token) === maxNewTokens) break;
  }
  sequence.dispose();
  return ids;
}

const results = [];
for (const modelPath of files) {
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({ contextSize, threads: 1 }); // two would wait for each other
  const answers = [];
  for (const prompt of prompts) answers.push(await answer(context, prompt));
  const chat = model.fileInfo.metadata.tokenizer.chat_template;
  results.push({ answers, ids: texts.map(text => model.tokenize(text)), chat });
  await model.dispose();
}
console.log(JSON.stringify(results));
process.exit(0);
