import type { Messages } from '../en';

export const modes: Messages['modes'] = { generate: '创作', edit: '编辑', chat: '提问' };

export const examples: Messages['examples'] = {
  pocket: [
    '蓝色背景，中间一个大的黄色星星',
    '白色背景，左边一个小的黄色星星和右边一个大的蓝色正方形',
    '黑色背景，中间一个绿色三角形',
    '白色背景，中间一个红色爱心',
  ],
  full: ['黄昏时安静港湾里的一艘帆船', '木刻风格的柠檬静物', '晨雾中在高草里熟睡的狐狸', '大月亮下的剪纸城市'],
};

export const welcome: Messages['welcome'] = {
  title: '欢迎',
  pocket: '现在使用的是口袋模型。它随工作室附带，非常小，只认识彩色形状的世界：足以让你在一分钟内试用这里的每样工具。',
  ready: '模型已就绪。在下方描述一张图片，然后按“绘制”。',
  download: (size, time) => `需要下载 ${size}，每秒 100 兆比特时约需 ${time}`,
  offer: (name, download, form, memory, disk) =>
    `${name} 可以绘制、编辑并谈论任何图片。${download}。这里最适合 ${form}，占用内存 ${memory}、磁盘 ${disk}。`,
  offer_small: (name, download) => `${name} 可以绘制、编辑并谈论任何图片。${download}，但它需要的内存超过这台电脑的可用内存。`,
  begin: '先用口袋模型',
  begin_full: '开始',
  see_models: '查看完整模型',
};

export const composer: Messages['composer'] = {
  form: '新请求',
  label: '指令',
  mode: '要做什么',
  placeholder: {
    generate: '描述一张图片…',
    edit: '说说要改什么…',
    chat: '就这张图片提问…',
    chat_without: '随便问点什么…',
  },
  run: { generate: '绘制', edit: '编辑', chat: '提问' },
  queue: '排队',
  edited: '要编辑的图片',
  asked: '要提问的图片',
  reference: (n) => `参考图 ${String(n)}`,
  move_reference: (n) => `参考图 ${String(n)}：拖动或用方向键调整顺序`,
  remove_reference: (name) => `移除${name}`,
  use_as_reference: (name) => `用作参考图：${name}`,
  add_reference: '添加参考图',
  open_reference: '打开文件…',
  references_hint: '最多再给模型看三张图片，按此顺序读取。也可以把图片拖到或粘贴到输入行上。',
  surplus: (n) => `最多三张参考图：${String(n)} 张未加入，可在图库中找到。`,
  pasted: '已添加为参考图',
  open_pasted: '改为打开',
  add: '打开图片',
  thinking: {
    label: '思考',
    modes: { off: '不写计划', on: '先思考', edit: '让我修改计划' },
    details: { off: '立即绘制。', on: '先写计划，再照着绘制。', edit: '写好计划后等待，以便你修改。' },
    given: '使用已保存的计划',
    forget: '不用这份计划',
  },
  variations: '变体数',
  variations_hint: '用同样的文字绘制多张图片，每张使用各自的种子。',
  n_variations: () => '张',
  size: '尺寸',
  width: '宽',
  height: '高',
  size_hint: (step, most) => `以 ${String(step)} 为单位，此模型最大 ${String(most)}。`,
  keeps: '与原图相同',
  quality: '质量',
  qualities: { draft: '草稿', balanced: '均衡', fine: '精细' },
  steps: (n) => `${String(n)} 步`,
  needs_image: '打开一张图片后即可编辑',
  waiting: (n) => `${String(n)} 个请求在等待`,
  shapes: { square: '方形', landscape: '横向', portrait: '纵向', wide: '宽幅', tall: '竖幅' },
};

export const price: Messages['price'] = {
  about: (time) => `约 ${time}`,
  needs: (bytes) => `需要 ${bytes}`,
  needs_of: (bytes, all) => `需要 ${bytes}，可用 ${all}`,
  refused: (why, needed, there) => `${why}：需要 ${needed}，而现有 ${there}。`,
  because: (what, why) => `${what}。${why}`,
  too_long: (tokens) => `这需要读取 ${tokens} 个词元，超过了模型的上限。请减少图片，或在新作品中提问。`,
  context: (tokens) => `读取 ${tokens} 个词元`,
  parts: (weights, context, working) => `权重 ${weights}，上下文 ${context}，工作内存 ${working}`,
};

export const remedies: Messages['remedies'] = {
  retry: '重试',
  smaller_size: (size) => `改用 ${size}`,
  no_thinking: '不写计划',
  fewer_images: '不用参考图',
  leave_out: (n: number) => `不再读最早的 ${String(n)} 个问题`,
  smaller_model: '换小一些的模型',
};

export const canvas: Messages['canvas'] = {
  stage: '画布',
  tools: '图片工具',
  empty: '想画些什么？',
  empty_hint: '在下方描述一张图片，或把图片拖到这里进行编辑。',
  open: '打开图片',
  paste: '或粘贴图片',
  fit: '适合窗口',
  zoom_in: '放大',
  zoom_out: '缩小',
  export: '另存副本',
  original: '原图',
  original_hint: '按住可查看编辑前的图片',
  compare: '比较',
  more: '更多',
  steps: '逐步回看',
  steps_close: '回到图片',
  no_steps: '这张图片的步骤已不再保留。',
  lost: '无法载入这张图片。它的文件已丢失或损坏。',
  image: (title) => `图片：${title}`,
  drop: '松开即可打开',
  drop_reference: '松开即可作为参考图',
};

export const compare: Messages['compare'] = {
  modes: { slider: '滑块', side: '并排', difference: '差异' },
  with: '比较对象',
  divider: '另一张图片显示多少',
  done: '完成',
};

export const progress: Messages['progress'] = {
  label: '进度',
  queued: '等待中',
  held: '队列已暂停',
  waiting_for_model: '等待模型',
  reading: '正在读取',
  writing: '正在思考',
  painting: (step, steps) => `第 ${String(step)} 步，共 ${String(steps)} 步`,
  quarter: (percent) => `已绘制 ${String(percent)}%`,
  decoding: '正在显影',
  saving: '正在保存',
  stopping: '正在停止…',
  left: (seconds) => (seconds < 60 ? `还需 ${String(seconds)} 秒` : `还需 ${String(Math.round(seconds / 60))} 分钟`),
  stop: '停止',
  keep: '停止并保留',
  keep_hint: '到此为止，并把这一步保留为图片',
  interrupted: { title: '运行中程序退出了', text: '其他内容都没有丢失，可以重新绘制。' },
};

export const history: Messages['history'] = {
  title: '历史',
  empty: '这件作品的每张图片都会出现在这里，排在它的来源之下。',
  others: '其他作品',
  all: '全部',
  new: '新作品',
  imported: '打开',
  generate: '创作',
  edit: '编辑',
  waiting: '等待中',
};

export const repeat: Messages['repeat'] = {
  title: '在这里重做一条分支',
  hint: (name) => `从“${name}”开始依次重做这些编辑，各自沿用原来的参数和种子。`,
  after: (n, name) => `${String(n)} 次编辑，原本接在“${name}”之后`,
  done: '分支已重做',
  busy: '正在重做一个分支，请等它完成',
  left: (n) => `分支中有 ${String(n)} 次编辑没有完成`,
  go_on: '继续',
  lacking: (n) => `分支中有 ${String(n)} 张图片没有配方，已跳过`,
};
