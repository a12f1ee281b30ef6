import type { Messages } from '../en';

export const app: Messages['app'] = {
  name: 'Bagel Studio',
  untitled: '新作品',
  pictures: (n) => `${String(n)} 张图片`,
};

export const places: Messages['places'] = { label: '页面', studio: '工作室', gallery: '图库', models: '模型', settings: '设置' };

export const engine: Messages['engine'] = {
  starting: '正在启动…',
  loading: (percent) => `正在载入 ${String(percent)}%`,
  no_model: '没有模型',
  failed: '引擎已停止',
  details: '模型与引擎',
  model: '模型',
  quantization: '精度',
  device: '运行于',
  memory: '内存',
  parameters: '参数量',
  largest: '最长边',
  pixels: (n) => `${String(n)} 像素`,
  memory_of: (used, free) => `${used} · 可用 ${free}`,
  memory_part: (used, all) => `${used}，共 ${all}`,
  choose: '选择其他模型',
  retry: '重新启动引擎',
  no_model_hint: '请先在“模型”页选择一个模型。',
  idle_hint: (name) => `${name} 在闲置时已归还内存，下一个请求会重新载入它。`,
  pocket: '口袋模型只认识一个由彩色形状组成的小世界。完整模型在“模型”页。',
  by_hand: '这个模型是在启动程序时指定的，“模型”页中没有它。',
  processor: '处理器',
};

export const queue: Messages['queue'] = {
  more: (n) => `还有 ${String(n)} 个`,
  title: '队列',
  pause: '暂停',
  resume: '继续',
  cancel_all: '全部取消',
  cancel: '取消',
  retry: '重试',
  first: '排到最前',
  is_paused: '已暂停：正在运行的会继续，不会开始新的。',
  sections: { running: '正在运行', waiting: '等待中', held: '待阅读的计划', broken: '需要处理' },
  n_broken: (n) => `${String(n)} 个需要处理`,
  planned: '计划已写好',
  interrupted: '已中断',
  about: (time) => `约 ${time}`,
  move: (name, place, total) => `移动“${name}”，第 ${String(place)} 个，共 ${String(total)} 个：方向键`,
  move_hint: '拖动，或用方向键',
  empty: '没有等待的请求',
  empty_hint: '一张图片绘制时，可以先把下一条指令排进队列，它会在这里等待。',
};

export const dialogs: Messages['dialogs'] = {
  done: '完成',
  cancel: '取消',
  save: '保存',
  close_title: '还有工作在进行',
  close_text: (n) => `${String(n)} 个请求尚未完成。它们会被保留，并在下次启动时继续。`,
  close_anyway: '关闭',
  stay: '留下',
};

export const palette: Messages['palette'] = {
  title: '命令',
  placeholder: '你想做什么？',
  open_piece: (name) => `打开“${name}”`,
  nothing: '没有这个名字的命令。',
};

export const keys: Messages['keys'] = {
  title: '快捷键',
  letters_off: '单字母快捷键已在设置中关闭。',
  groups: { request: '请求', pictures: '图片', history: '历史与比较', zoom: '缩放', places: '页面' },
  mouse: '其他',
  gestures: [
    ['以指针为中心缩放', '滚轮'],
    ['移动图片', '空格 + 拖动'],
    ['粘贴图片', 'Ctrl V 键'],
    ['之前的指令', '空行中按 ↑'],
    ['在图库中选择', '空格、Shift + 方向键'],
    ['比较两张图片', '在历史中 Ctrl + 点击'],
    ['从图库打开', '回车'],
  ],
  drag_out: ['把图片交给其他程序', '拖出窗口'],
};

export const actions: Messages['actions'] = {
  run: '运行请求',
  run_next: '排到最前运行',
  stop: '停止或关闭',
  write: '输入指令',
  reuse_seed: '沿用种子',
  reuse_instruction: '沿用指令',
  reuse_all: '沿用整个配方',
  open: '打开图片',
  new: '新作品',
  export: '另存副本',
  copy: '复制图片',
  star: '星标',
  tags: '编辑标签',
  rename: '重命名图片',
  trash: '移到回收站',
  parent: '回到它的来源',
  child: '去到由它制作的图片',
  previous: '历史中向上',
  next: '历史中向下',
  original: '按住：显示原图',
  compare: '比较',
  steps: '逐步回看',
  recipe: '显示配方',
  fit: '适合窗口',
  zoom_1: '缩放到 100%',
  zoom_2: '缩放到 200%',
  zoom_4: '缩放到 400%',
  zoom_in: '放大',
  zoom_out: '缩小',
  studio: '工作室',
  gallery: '图库',
  models: '模型',
  settings: '设置',
  queue: '队列',
  search: '搜索',
  palette: '命令面板',
  keys: '全部快捷键',
};

export const failure: Messages['failure'] = {
  titles: {
    cancelled: '已停止',
    out_of_device_memory: '显存不足',
    out_of_host_memory: '内存不足',
    device_lost: '显卡停止响应',
    model_invalid: '模型文件已损坏',
    model_missing: '没有模型',
    bad_input: '无法按现在的方式完成',
    disk_full: '磁盘已满',
    network: '下载失败',
    hash_mismatch: '下载的内容与预期不符',
    internal: '出了点问题',
  },
  nothing_lost: '你的图片都还在。',
  again: '重试',
  choose_model: '选择模型',
  dismiss: '关闭',
};
