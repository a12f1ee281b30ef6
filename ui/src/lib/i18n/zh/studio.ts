import type { Messages } from '../en';

export const modes: Messages['modes'] = { generate: '生成', edit: '编辑', chat: '对话' };

export const examples: Messages['examples'] = {
  pocket: [
    '蓝色背景，中间一个大的黄色星星',
    '白色背景，左边一个小的黄色星星和右边一个大的蓝色正方形',
    '黑色背景，中间一个绿色三角形',
    '白色背景，中间一个红色爱心',
  ],
  full: ['黄昏时宁静港湾里的一艘帆船', '木刻版画风格的柠檬静物', '晨雾中，在高草丛里熟睡的狐狸', '巨大月亮下的剪纸城市'],
};

export const welcome: Messages['welcome'] = {
  title: '欢迎',
  pocket: '当前使用的是口袋模型。它随 Bagel Studio 附带，体积很小，只认识彩色图形，足以让你在一分钟内试用每项功能。',
  ready: '模型已就绪。在下方描述一张图像，然后点击“生成”。',
  download: (size, time) => `需要下载 ${size}，以 100 Mbit/s 的速度约需 ${time}`,
  offer: (name, download, form, memory, disk) =>
    `${name} 可以生成、编辑图像，并回答有关图像的问题。${download}。推荐这台电脑使用 ${form}，占用内存 ${memory}、磁盘 ${disk}。`,
  offer_small: (name, download) =>
    `${name} 可以生成、编辑图像，并回答有关图像的问题。${download}，但它需要的内存超过了这台电脑的可用内存。`,
  begin: '先用口袋模型',
  begin_full: '开始使用',
  see_models: '查看完整模型',
};

export const composer: Messages['composer'] = {
  form: '新提示词',
  label: '提示词',
  mode: '模式',
  placeholder: {
    generate: '描述想要的图像…',
    edit: '描述要修改的内容…',
    chat: '询问这张图像…',
    chat_without: '输入任何问题…',
  },
  run: { generate: '生成', edit: '编辑', chat: '发送' },
  queue: '加入队列',
  edited: '要编辑的图像',
  asked: '要询问的图像',
  reference: (n) => `参考图 ${String(n)}`,
  move_reference: (n) => `参考图 ${String(n)}：拖动或按方向键可调整顺序`,
  remove_reference: (name) => `移除${name}`,
  use_as_reference: (name) => `用作参考图：${name}`,
  add_reference: '添加参考图',
  open_reference: '打开文件',
  references_hint: '最多可添加三张参考图，模型会按此顺序参考。也可以将图像拖放或粘贴到此处。',
  surplus: (n) => `最多可添加三张参考图，有 ${String(n)} 张未添加，可在图库中找到。`,
  pasted: '已添加为参考图',
  open_pasted: '改为打开',
  add: '打开图像',
  thinking: {
    label: '思考',
    modes: { off: '不思考', on: '先思考', edit: '审阅方案' },
    details: { off: '直接开始。', on: '先写出方案。', edit: '写出方案后等待你修改。' },
    given: '已保存的方案',
    forget: '移除方案',
  },
  variations: '变体数量',
  variations_hint: '用同一提示词生成多张图像，每张使用不同的种子。',
  n_variations: () => '张',
  size: '尺寸',
  width: '宽度',
  height: '高度',
  size_hint: (step, most) => `以 ${String(step)} 为步长，此模型最大 ${String(most)}。`,
  same_size: '与原图相同',
  quality: '质量',
  qualities: { draft: '草稿', balanced: '均衡', fine: '精细' },
  steps: (n) => `${String(n)} 步`,
  needs_image: '请先打开要编辑的图像',
  waiting: (n) => `队列中有 ${String(n)} 个任务`,
  shapes: { square: '方形', landscape: '横向', portrait: '纵向', wide: '宽幅', tall: '竖幅' },
};

export const estimate: Messages['estimate'] = {
  about: (time) => `约 ${time}`,
  needs: (bytes) => `需要 ${bytes}`,
  needs_of: (bytes, all) => `需要 ${bytes}，可用 ${all}`,
  refused: (why, needed, available) => `${why}：需要 ${needed}，可用 ${available}。`,
  because: (what, why) => `${what}。${why}`,
  too_long: (tokens) => `此提示词需要 ${tokens} 个词元，超出了模型的上限。请减少图像，或新建项目。`,
  context: (tokens) => `${tokens} 个词元`,
  parts: (weights, context, working) => `权重 ${weights}，上下文 ${context}，工作内存 ${working}`,
};

export const remedies: Messages['remedies'] = {
  retry: '重试',
  smaller_size: (size) => `改用 ${size}`,
  no_thinking: '关闭思考',
  fewer_images: '移除参考图',
  leave_out: (n: number) => `排除最早的 ${String(n)} 个问题`,
  smaller_model: '选择更小的模型',
};

export const canvas: Messages['canvas'] = {
  stage: '画布',
  tools: '图像工具',
  empty: '想创作什么？',
  empty_hint: '在下方描述一张图像，或将图像拖放到此处进行编辑。',
  open: '打开图像',
  paste: '或粘贴图像',
  fit: '适合窗口',
  zoom_in: '放大',
  zoom_out: '缩小',
  export: '导出',
  original: '原图',
  original_hint: '按住可查看编辑前的图像',
  compare: '对比',
  more: '更多',
  steps: '步骤回放',
  steps_close: '关闭步骤回放',
  no_steps: '这张图像的步骤预览已清除。',
  image_missing: '无法显示这张图像，文件已丢失或损坏。',
  image: (title) => `图像：${title}`,
  drop: '松开即可打开',
  drop_reference: '松开即可添加为参考图',
};

export const compare: Messages['compare'] = {
  modes: { slider: '滑块', side: '并排', difference: '差异' },
  with: '对比图像',
  divider: '另一张图像的显示比例',
  done: '完成',
};

export const progress: Messages['progress'] = {
  label: '进度',
  queued: '排队中',
  held: '队列已暂停',
  waiting_for_model: '等待模型加载',
  reading: '正在读取提示词',
  writing: '正在思考',
  step: (step, steps) => `第 ${String(step)} 步，共 ${String(steps)} 步`,
  quarter: (percent) => `已完成 ${String(percent)}%`,
  decoding: '正在解码',
  saving: '正在保存',
  stopping: '正在停止…',
  left: (seconds) => (seconds < 60 ? `剩余 ${String(seconds)} 秒` : `剩余 ${String(Math.round(seconds / 60))} 分钟`),
  stop: '停止',
  keep: '停止并保留',
  keep_hint: '立即停止，并将当前步骤保留为图像',
  interrupted: { title: '任务已中断', text: '任务运行时 Bagel Studio 已关闭，其他内容没有丢失。点击“重试”可重新运行。' },
};

export const history: Messages['history'] = {
  title: '历史记录',
  empty: '此项目的图像会显示在这里，每张图像位于其来源图像的下方。',
  others: '其他项目',
  all: '查看全部',
  new: '新建项目',
  imported: '导入',
  generate: '生成',
  edit: '编辑',
  waiting: '排队中',
};

export const repeat: Messages['repeat'] = {
  title: '在此处重复分支',
  hint: (name) => `将分支中的编辑依次应用于“${name}”，沿用原来的参数和种子。`,
  after: (n, name) => `${String(n)} 次编辑，始于“${name}”`,
  done: '分支已重复完成',
  busy: '正在重复另一个分支，请等待其完成。',
  left: (n) => `分支中有 ${String(n)} 次编辑未完成`,
  go_on: '继续',
  lacking: (n) => `分支中有 ${String(n)} 张图像没有配方，将被跳过`,
};
